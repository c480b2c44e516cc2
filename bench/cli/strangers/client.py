"""A Modbus master by pymodbus, for tests: reads registers and prints each as four hexadecimal digits, a line each.
client.py tcp <host> <port> <unit> <function> <address> <count>
client.py rtu <path> <baud> <unit> <function> <address> <count>
"""
import inspect
import sys

from pymodbus.client import ModbusSerialClient, ModbusTcpClient

transport, place, number, unit, function, address, count = sys.argv[1:8]
if transport == "tcp":
    client = ModbusTcpClient(place, port=int(number), timeout=5)
else:
    client = ModbusSerialClient(place, baudrate=int(number), bytesize=8, parity="N", stopbits=1, timeout=5)
if not client.connect():
    sys.exit("no connection")
read = client.read_holding_registers if function == "3" else client.read_input_registers
# What the unit is called has changed from version to version.
named = set(inspect.signature(read).parameters)
word = next((w for w in ("device_id", "slave", "unit") if w in named), "slave")
answer = read(int(address), count=int(count), **{word: int(unit)})
client.close()
if answer.isError():
    sys.exit(str(answer))
for register in answer.registers:
    print(f"{register:04x}")
