"""A TCP relay that counts what a server sends."""

import socket
import threading
import time


def shut_down(end: socket.socket) -> None:
    """Tells its peer at once; closing alone would wait for a thread that still reads from it."""
    try:
        end.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # not connected any more
    end.close()


class Relay:
    """Takes one connection on `port` of the loopback interface and passes it on to `target` there."""

    def __init__(self, target: int):
        self.received = 0  # bytes from the server, read by any thread
        self.last = time.monotonic()  # of the last of them
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        client, _ = self._listener.accept()
        server = socket.create_connection(("127.0.0.1", self._target))
        for end in (client, server):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=self._pass, args=(client, server, False), daemon=True).start()
        self._pass(server, client, True)

    def _pass(self, source: socket.socket, sink: socket.socket, counted: bool) -> None:
        try:
            while data := source.recv(1 << 18):
                if counted:
                    self.received += len(data)
                    self.last = time.monotonic()
                sink.sendall(data)
        except OSError:
            pass  # one of the programs has ended
        finally:
            for end in (source, sink):
                shut_down(end)

    def await_silence(self, seconds: float, limit: float) -> bool:
        """Waits until the server has sent nothing for `seconds`; False when `limit` seconds do not suffice."""
        end = time.monotonic() + limit
        while time.monotonic() - self.last < seconds:
            if time.monotonic() >= end:
                return False
            time.sleep(0.002)
        return True
