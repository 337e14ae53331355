"""Stands in for `ctypes.wintypes`: names of Windows for the C types."""

from ctypes import *  # noqa: F403
from ctypes import POINTER, Structure, c_char_p, c_int, c_long, c_uint, c_ulong, c_ushort, c_void_p, c_wchar_p

BYTE = BOOLEAN = WORD = USHORT = c_ushort
BOOL = INT = c_int
UINT = c_uint
LONG = c_long
DWORD = ULONG = c_ulong
HANDLE = HMODULE = HWND = HKEY = LPVOID = LPCVOID = c_void_p
LPCSTR = LPSTR = c_char_p
LPCWSTR = LPWSTR = c_wchar_p
LPDWORD = PDWORD = POINTER(DWORD)


class POINT(Structure):
    """A point."""


class RECT(Structure):
    """A rectangle."""
