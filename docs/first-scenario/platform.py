#!/usr/bin/env python3
"""A platform as small as it can be: reads a meter by Modbus/TCP each two seconds, and shows two of its quantities on an
MQTT broker of its own. Python 3.8 and its standard library alone. It stands in for your platform in first-scenario.md.

    platform.py <modbus host:port> <mqtt host:port> [whole|sloppy|stale]

`whole` does it right. `sloppy` shows each voltage 2 % too high, `stale` reads once and shows that for ever.
"""
import json
import socket
import struct
import sys
import threading
import time

VOLTAGE, CURRENT = 40, 2000  # input registers of personalities/table-meter.yaml: float32, big word first
EVERY = 2.0  # s


class Meter:
    """A Modbus/TCP master that connects again whenever it has to."""

    def __init__(self, host, port):
        self.place, self.line, self.number = (host, port), None, 0

    def float_at(self, register):
        try:
            if self.line is None:
                self.line = socket.create_connection(self.place, timeout=1)
            self.number = self.number % 0xFFFF + 1
            self.line.sendall(struct.pack(">HHHBBHH", self.number, 0, 6, 1, 4, register, 2))
            head = self.take(9)
            if head[7] != 4 or head[8] != 4:
                raise OSError("the meter refuses: exception %d" % head[8])
            return struct.unpack(">f", self.take(4))[0]
        except OSError:
            if self.line is not None:
                self.line.close()
            self.line = None
            return None

    def take(self, n):
        got = b""
        while len(got) < n:
            more = self.line.recv(n - len(got))
            if more == b"":
                raise OSError("the meter hung up")
            got += more
        return got


class Broker:
    """As much of MQTT 3.1.1 as a listener needs: CONNECT, SUBSCRIBE, PINGREQ, DISCONNECT, and PUBLISH with QoS 0 to all."""

    def __init__(self, host, port):
        self.listeners, self.lock = set(), threading.Lock()
        self.door = socket.create_server((host, port))
        threading.Thread(target=self.welcome, daemon=True).start()

    def welcome(self):
        while True:
            line, _ = self.door.accept()
            line.settimeout(90)
            threading.Thread(target=self.serve, args=(line,), daemon=True).start()

    def serve(self, line):
        stream = line.makefile("rb")
        try:
            while True:
                kind, body = self.packet(stream)
                if kind == 1:
                    line.sendall(b"\x20\x02\x00\x00")
                elif kind == 8:
                    with self.lock:
                        self.listeners.add(line)
                        line.sendall(b"\x90" + bytes([2 + self.filters(body)]) + body[:2] + bytes(self.filters(body)))
                elif kind == 12:
                    line.sendall(b"\xd0\x00")
                elif kind == 14:
                    break
        except (OSError, EOFError, IndexError):
            pass
        with self.lock:
            self.listeners.discard(line)
        line.close()

    @staticmethod
    def packet(stream):
        def byte():
            b = stream.read(1)
            if b == b"":
                raise EOFError
            return b[0]

        first, length, shift = byte(), 0, 0
        while True:
            b = byte()
            length |= (b & 0x7F) << shift
            shift += 7
            if b < 0x80:
                return first >> 4, stream.read(length)

    @staticmethod
    def filters(body):
        n, at = 0, 2
        while at < len(body):
            at += 3 + struct.unpack(">H", body[at : at + 2])[0]
            n += 1
        return n

    def publish(self, topic, payload):
        text = topic.encode()
        body = struct.pack(">H", len(text)) + text + json.dumps(payload).encode()
        assert len(body) < 16384, "two bytes of length are enough here"
        head = bytes([0x30, body.__len__() & 0x7F | 0x80, len(body) >> 7]) if len(body) > 127 else bytes([0x30, len(body)])
        with self.lock:
            for line in list(self.listeners):
                try:
                    line.sendall(head + body)
                except OSError:
                    self.listeners.discard(line)


def main(modbus, mqtt, manner="whole"):
    host, port = modbus.rsplit(":", 1)
    meter = Meter(host, int(port))
    host, port = mqtt.rsplit(":", 1)
    broker = Broker(host, int(port))
    print("ready", flush=True)
    kept = {}
    due = time.monotonic()
    while True:
        for topic, register in (("table/voltage", VOLTAGE), ("table/current", CURRENT)):
            if manner != "stale" or kept.get(topic) is None:
                kept[topic] = meter.float_at(register)
            value = kept[topic]
            if value is not None and manner == "sloppy" and register == VOLTAGE:
                value *= 1.02
            broker.publish(
                topic,
                {"Timestamp": int(time.time()), "Value": 0 if value is None else value, "Valid": value is not None},
            )
        due += EVERY
        time.sleep(max(0, due - time.monotonic()))


if __name__ == "__main__":
    main(*sys.argv[1:])
