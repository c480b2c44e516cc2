/* A Modbus master by libmodbus, for tests: reads registers and prints each as four hexadecimal digits, a line each.
 * client tcp <host> <port> <unit> <function> <address> <count>
 * client rtu <path> <baud> <unit> <function> <address> <count>
 * Exit code 0; 1 with the library's own words on standard error. */
#include <errno.h>
#include <modbus/modbus.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int refuse(const char *what) {
  fprintf(stderr, "%s: %s\n", what, modbus_strerror(errno));
  return 1;
}

int main(int argc, char **argv) {
  uint16_t words[125];
  if (argc != 8) return 2;
  const int number = atoi(argv[3]), function = atoi(argv[5]), address = atoi(argv[6]), count = atoi(argv[7]);
  modbus_t *bus = strcmp(argv[1], "tcp") == 0 ? modbus_new_tcp(argv[2], number)
                                              : modbus_new_rtu(argv[2], number, 'N', 8, 1);
  if (bus == NULL || count < 1 || count > 125) return 2;
  modbus_set_slave(bus, atoi(argv[4]));
  modbus_set_response_timeout(bus, 5, 0);
  if (modbus_connect(bus) != 0) return refuse("connect");
  const int got = function == 3 ? modbus_read_registers(bus, address, count, words)
                                : modbus_read_input_registers(bus, address, count, words);
  if (got != count) return refuse("read");
  for (int i = 0; i < count; i++) printf("%04x\n", words[i]);
  modbus_close(bus);
  modbus_free(bus);
  return 0;
}
