"""What stands for a socket: it keeps what was written."""


class Transport:
    def __init__(self):
        self.written = b""
        self.closing = self.aborted = False

    def get_extra_info(self, _):
        return None

    def is_closing(self):
        return self.closing

    def write(self, data):
        self.written += data

    def close(self):
        self.closing = True

    def abort(self):
        self.aborted = True

    def pause_reading(self):
        pass

    resume_reading = pause_reading
