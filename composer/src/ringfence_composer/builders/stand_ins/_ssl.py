"""Stands in for `_ssl`: `import ssl` works, its constants, its exceptions, and contexts, which are settings only; to speak TLS does not.

Contexts can be made because libraries make one when they are imported, long before anything is connected.
"""

from ringfence_gap import classes, functions

OPENSSL_VERSION, OPENSSL_VERSION_NUMBER = "none: a ring-fenced guest has no TLS", 0
OPENSSL_VERSION_INFO = _OPENSSL_API_VERSION = (0, 0, 0, 0, 0)
_DEFAULT_CIPHERS = "@SECLEVEL=2"
HAS_SNI = HAS_ECDH = HAS_NPN = HAS_ALPN = HAS_PSK = HAS_PSK_TLS13 = HAS_PHA = HAS_TLS_UNIQUE = False
HAS_SSLv2 = HAS_SSLv3 = HAS_TLSv1 = HAS_TLSv1_1 = HAS_TLSv1_2 = HAS_TLSv1_3 = False

PROTOCOL_SSLv2, PROTOCOL_SSLv3, PROTOCOL_SSLv23, PROTOCOL_TLS, PROTOCOL_TLS_CLIENT, PROTOCOL_TLS_SERVER = 0, 1, 2, 2, 16, 17
PROTOCOL_TLSv1, PROTOCOL_TLSv1_1, PROTOCOL_TLSv1_2 = 3, 4, 5
PROTO_MINIMUM_SUPPORTED, PROTO_MAXIMUM_SUPPORTED = -2, -1
PROTO_SSLv3, PROTO_TLSv1, PROTO_TLSv1_1, PROTO_TLSv1_2, PROTO_TLSv1_3 = range(768, 773)
CERT_NONE, CERT_OPTIONAL, CERT_REQUIRED = range(3)
VERIFY_DEFAULT, VERIFY_CRL_CHECK_LEAF, VERIFY_CRL_CHECK_CHAIN, VERIFY_X509_STRICT = 0, 4, 12, 32
VERIFY_ALLOW_PROXY_CERTS, VERIFY_X509_TRUSTED_FIRST, VERIFY_X509_PARTIAL_CHAIN = 64, 0x8000, 0x80000
OP_ALL, OP_LEGACY_SERVER_CONNECT, OP_NO_COMPRESSION, OP_NO_TICKET, OP_NO_RENEGOTIATION = 0x80000050, 4, 0x20000, 0x4000, 0x40000000
OP_NO_SSLv2, OP_NO_SSLv3, OP_NO_TLSv1, OP_NO_TLSv1_1, OP_NO_TLSv1_2, OP_NO_TLSv1_3 = 0, 1 << 25, 1 << 26, 1 << 28, 1 << 27, 1 << 29
OP_CIPHER_SERVER_PREFERENCE, OP_SINGLE_DH_USE, OP_SINGLE_ECDH_USE, OP_ENABLE_MIDDLEBOX_COMPAT = 1 << 22, 0, 0, 1 << 20
OP_IGNORE_UNEXPECTED_EOF, OP_ENABLE_KTLS = 128, 8
SSL_ERROR_SSL, SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE, SSL_ERROR_WANT_X509_LOOKUP, SSL_ERROR_SYSCALL = range(1, 6)
SSL_ERROR_ZERO_RETURN, SSL_ERROR_WANT_CONNECT, SSL_ERROR_EOF, SSL_ERROR_INVALID_ERROR_CODE = 6, 7, 8, 10
HOSTFLAG_ALWAYS_CHECK_SUBJECT, HOSTFLAG_NO_WILDCARDS, HOSTFLAG_NO_PARTIAL_WILDCARDS = 1, 2, 4
HOSTFLAG_MULTI_LABEL_WILDCARDS, HOSTFLAG_SINGLE_LABEL_SUBDOMAINS, HOSTFLAG_NEVER_CHECK_SUBJECT = 8, 16, 32
ENCODING_PEM, ENCODING_DER = 1, 2
ALERT_DESCRIPTION_CLOSE_NOTIFY, ALERT_DESCRIPTION_HANDSHAKE_FAILURE, ALERT_DESCRIPTION_INTERNAL_ERROR = 0, 40, 80
err_codes_to_names, err_names_to_codes, lib_codes_to_names = {}, {}, {}


class SSLError(OSError):
    """An error occurred in the SSL implementation."""


class SSLZeroReturnError(SSLError):
    """SSL/TLS session closed cleanly."""


class SSLWantReadError(SSLError):
    """Non-blocking SSL socket needs to read more data."""


class SSLWantWriteError(SSLError):
    """Non-blocking SSL socket needs to write more data."""


class SSLSyscallError(SSLError):
    """System error when attempting SSL operation."""


class SSLEOFError(SSLError):
    """SSL/TLS connection terminated abruptly."""


class SSLCertVerificationError(SSLError, ValueError):
    """A certificate could not be verified."""


def _setting(name, default):
    def get(self):
        return vars(self).get(name, default)

    def put(self, value):
        vars(self)[name] = value

    return property(get, put)


class _SSLContext:
    """The settings of connections that cannot be made here."""

    def __new__(cls, protocol=PROTOCOL_TLS, *_arguments, **_named):
        self = object.__new__(cls)
        vars(self)["protocol"] = protocol
        vars(self)["check_hostname"] = protocol == PROTOCOL_TLS_CLIENT
        vars(self)["verify_mode"] = CERT_REQUIRED if protocol == PROTOCOL_TLS_CLIENT else CERT_NONE
        return self

    protocol = property(lambda self: vars(self)["protocol"])
    options = _setting("options", OP_ALL | OP_NO_SSLv3 | OP_NO_COMPRESSION)
    verify_flags = _setting("verify_flags", VERIFY_X509_TRUSTED_FIRST)
    verify_mode = _setting("verify_mode", CERT_NONE)
    check_hostname = _setting("check_hostname", False)
    minimum_version = _setting("minimum_version", PROTO_MINIMUM_SUPPORTED)
    maximum_version = _setting("maximum_version", PROTO_MAXIMUM_SUPPORTED)
    _host_flags = _setting("_host_flags", HOSTFLAG_NO_PARTIAL_WILDCARDS)
    _msg_callback = _setting("_msg_callback", None)
    post_handshake_auth = _setting("post_handshake_auth", False)
    keylog_filename = _setting("keylog_filename", None)
    num_tickets = _setting("num_tickets", 2)
    sni_callback = _setting("sni_callback", None)

    def set_ciphers(self, ciphers):
        """No connection will be made with them."""

    set_default_verify_paths = set_ecdh_curve = load_dh_params = _set_alpn_protocols = lambda self, *_arguments: None

    def get_ca_certs(self, binary_form=False):
        return []

    def get_ciphers(self):
        return []

    def cert_store_stats(self):
        return {"x509": 0, "crl": 0, "x509_ca": 0}


for _name, _function in functions(
    "no TLS", "_wrap_socket", "_wrap_bio", "load_cert_chain", "load_verify_locations", "session_stats", "set_psk_client_callback"
).items():
    setattr(_SSLContext, _name, _function)
globals().update(classes("no TLS", "_SSLSocket", "MemoryBIO", "SSLSession", "Certificate"))
globals().update(functions("no TLS", "RAND_add", "RAND_bytes", "RAND_status", "_test_decode_cert", "get_default_verify_paths"))


def txt2obj(text, name=False):
    """The object of this name or number; only those that `ssl` itself asks for at its import."""
    known = {
        "1.3.6.1.5.5.7.3.1": (129, "serverAuth", "TLS Web Server Authentication"),
        "1.3.6.1.5.5.7.3.2": (130, "clientAuth", "TLS Web Client Authentication"),
    }
    if text not in known:
        raise ValueError("unknown object")
    return *known[text], text


def nid2obj(number):
    """The object of this number: none is known."""
    raise ValueError(f"unknown NID {number}")
