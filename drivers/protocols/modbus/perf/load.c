/* Load: CLIENTS connections, each with one request in flight (function 3, 60 registers), epoll, one thread.
 * Every answer is checked: transaction, length, function, byte count.
 * Usage: load PORT CLIENTS WARM_MS RUN_MS. Prints: requests/s, p50 and p99 of the round trip in us, bad answers. */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { REGISTERS = 60, ANSWER = 9 + 2 * REGISTERS, MOST = 64, SLOTS = 200000 };
struct client { int fd; uint16_t id; int got; uint64_t sent; uint8_t in[512]; };

static uint64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

static int ask(struct client *c) {
  uint8_t q[12] = {0, 0, 0, 0, 0, 6, 1, 3, 0, 0, 0, REGISTERS};
  c->id++;
  q[0] = c->id >> 8;
  q[1] = c->id & 255;
  c->got = 0;
  c->sent = now_ns();
  return write(c->fd, q, sizeof q) == (ssize_t)sizeof q;
}

int main(int argc, char **argv) {
  if (argc < 5) return 2;
  int count = atoi(argv[2]);
  uint64_t warm = strtoull(argv[3], NULL, 10) * 1000000ull, run = strtoull(argv[4], NULL, 10) * 1000000ull;
  if (count < 1 || count > MOST) return 2;
  static struct client clients[MOST];
  static uint32_t slots[SLOTS]; /* round trips by 0.1 us would be too fine: one slot a microsecond */
  int poll = epoll_create1(0);
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[1]))};
  inet_pton(AF_INET, "127.0.0.1", &at.sin_addr);
  for (int i = 0; i < count; i++) {
    int on = 1;
    clients[i].fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(clients[i].fd, (struct sockaddr *)&at, sizeof at) != 0) return 3;
    setsockopt(clients[i].fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = &clients[i]};
    epoll_ctl(poll, EPOLL_CTL_ADD, clients[i].fd, &e);
  }
  uint64_t begin = now_ns() + warm, end = begin + run, done = 0, bad = 0;
  for (int i = 0; i < count; i++)
    if (!ask(&clients[i])) return 3;
  for (uint64_t t = now_ns(); t < end;) {
    struct epoll_event ready[MOST];
    int n = epoll_wait(poll, ready, MOST, 1000);
    if (n <= 0) return 4;
    for (int i = 0; i < n; i++) {
      struct client *c = ready[i].data.ptr;
      ssize_t r = read(c->fd, c->in + c->got, sizeof c->in - (size_t)c->got);
      if (r <= 0) return 5;
      c->got += (int)r;
      if (c->got < ANSWER) continue;
      t = now_ns();
      uint8_t *a = c->in;
      int right = c->got == ANSWER && ((a[0] << 8) | a[1]) == c->id && a[2] == 0 && a[3] == 0 &&
                  ((a[4] << 8) | a[5]) == 3 + 2 * REGISTERS && a[7] == 3 && a[8] == 2 * REGISTERS &&
                  a[ANSWER - 1] == REGISTERS - 1;
      if (!right) bad++;
      if (t >= begin) {
        uint64_t us = (t - c->sent) / 1000;
        slots[us < SLOTS ? us : SLOTS - 1]++;
        done++;
      }
      if (!ask(c)) return 3;
    }
  }
  uint64_t seen = 0, p50 = 0, p99 = 0;
  for (uint64_t us = 0; us < SLOTS; us++) {
    seen += slots[us];
    if (p50 == 0 && seen * 100 >= done * 50) p50 = us;
    if (seen * 100 >= done * 99) { p99 = us; break; }
  }
  printf("%.0f %llu %llu %llu\n", (double)done * 1e9 / (double)run, (unsigned long long)p50,
         (unsigned long long)p99, (unsigned long long)bad);
  return 0;
}
