"""Stands in for `ctypes`: types can be declared, so that modules which do so can be imported; there is no machine code to call."""

from ringfence_gap import functions, lacking

_WHAT = "no machine code to call"


class ArgumentError(Exception):
    """An argument that a foreign function does not take."""


class _Type(type):
    def __mul__(cls, length):
        return _Type(f"{cls.__name__}_Array_{length}", (Array,), {"_type_": cls, "_length_": length})

    __rmul__ = __mul__

    def __getattr__(cls, name):
        if name in ("from_address", "from_buffer", "from_buffer_copy", "from_param", "in_dll"):
            raise lacking(_WHAT)
        raise AttributeError(name)


class _CData(metaclass=_Type):
    def __new__(cls, *_arguments, **_named):
        raise lacking(_WHAT)


class _SimpleCData(_CData):
    pass


class Array(_CData):
    """An array of a C type."""


class _Pointer(_CData):
    pass


class Structure(_CData):
    """A C structure."""


class Union(_CData):
    """A C union."""


class BigEndianStructure(Structure):
    """A structure in big-endian order."""


class LittleEndianStructure(Structure):
    """A structure in little-endian order."""


class BigEndianUnion(Union):
    """A union in big-endian order."""


class LittleEndianUnion(Union):
    """A union in little-endian order."""


_NAMES = (
    "byte ubyte short ushort int uint long ulong longlong ulonglong size_t ssize_t time_t int8 int16 int32 int64 uint8 uint16 uint32 uint64 "
    "float double longdouble char char_p wchar wchar_p void_p bool"
)
for _name in _NAMES.split():
    globals()[f"c_{_name}"] = _Type(f"c_{_name}", (_SimpleCData,), {})
c_voidp = c_void_p  # noqa: F821 -- made above
HRESULT = _Type("HRESULT", (_SimpleCData,), {})
py_object = _Type("py_object", (_SimpleCData,), {})

DEFAULT_MODE = RTLD_LOCAL = 0
RTLD_GLOBAL = 256


class CDLL:
    """A library of machine code."""

    def __init__(self, *_arguments, **_named):
        raise lacking(_WHAT)


class PyDLL(CDLL):
    """Python's own library."""


class LibraryLoader:
    """Loads libraries by attribute."""

    def __init__(self, kind):
        self._kind = kind

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        raise lacking(_WHAT)

    def LoadLibrary(self, name):  # noqa: N802 -- its name in ctypes
        return self._kind(name)


cdll, pydll = LibraryLoader(CDLL), LibraryLoader(PyDLL)


class _Python:
    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        raise lacking(_WHAT)


pythonapi = _Python()


def POINTER(kind):  # noqa: N802 -- its name in ctypes
    """The type of pointers to a type."""
    return _Type(f"LP_{getattr(kind, '__name__', kind)}", (_Pointer,), {"_type_": kind})


def CFUNCTYPE(result, *arguments, **_named):  # noqa: N802 -- its name in ctypes
    """A type of functions."""
    return _Type("CFunctionType", (_CData,), {"_restype_": result, "_argtypes_": arguments})


PYFUNCTYPE = CFUNCTYPE
globals().update(
    functions(
        _WHAT,
        *("addressof", "alignment", "byref", "cast", "create_string_buffer", "create_unicode_buffer", "get_errno", "memmove", "memset"),
        *("pointer", "resize", "set_errno", "sizeof", "string_at", "wstring_at", "memoryview_at", "SetPointerType", "ARRAY"),
    )
)
