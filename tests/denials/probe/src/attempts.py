"""The resource of the interface `attempts`."""


class Token:
    def __init__(self, text):
        self._text = text

    def text(self):
        return self._text
