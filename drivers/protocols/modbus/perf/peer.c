/* The peer of the measurement: the smallest sensible Modbus/TCP server on libmodbus, one thread, select().
 * Usage: peer PORT. Listens on 127.0.0.1, prints "ready", serves until killed. */
#include <modbus.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv) {
  if (argc < 2) return 2;
  modbus_t *ctx = modbus_new_tcp("127.0.0.1", atoi(argv[1]));
  modbus_mapping_t *map = modbus_mapping_new(0, 0, 1000, 0);
  if (ctx == NULL || map == NULL) return 1;
  for (int i = 0; i < 1000; i++) map->tab_registers[i] = (uint16_t)i;
  int listener = modbus_tcp_listen(ctx, 64);
  if (listener < 0) return 1;
  puts("ready");
  fflush(stdout);
  fd_set all;
  FD_ZERO(&all);
  FD_SET(listener, &all);
  int top = listener;
  for (;;) {
    fd_set now = all;
    if (select(top + 1, &now, NULL, NULL, NULL) < 0) return 1;
    for (int fd = 0; fd <= top; fd++) {
      if (!FD_ISSET(fd, &now)) continue;
      if (fd == listener) {
        int client = accept(listener, NULL, NULL);
        int on = 1;
        if (client < 0) continue;
        setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        FD_SET(client, &all);
        if (client > top) top = client;
        continue;
      }
      uint8_t query[MODBUS_TCP_MAX_ADU_LENGTH];
      modbus_set_socket(ctx, fd);
      int n = modbus_receive(ctx, query);
      if (n > 0) modbus_reply(ctx, query, n, map);
      else if (n < 0) {
        close(fd);
        FD_CLR(fd, &all);
      }
    }
  }
}
