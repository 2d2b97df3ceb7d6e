from __future__ import annotations

import ssl

import pytest

from loopwright.store.address import Address


@pytest.mark.parametrize(
    ("url", "host", "port", "path", "greeting"),
    [
        ("redis://127.0.0.1:6380/0", "127.0.0.1", 6380, "", ()),
        ("redis://", "localhost", 6379, "", ()),
        ("redis://store/3", "store", 6379, "", (("SELECT", "3"),)),
        ("redis://store/3?db=4", "store", 6379, "", (("SELECT", "4"),)),
        ("redis://:p%40ss@store", "store", 6379, "", (("AUTH", "p@ss"),)),
        ("redis://me:secret@store/1", "store", 6379, "", (("AUTH", "me", "secret"), ("SELECT", "1"))),
        ("unix:///run/store.sock", "", 6379, "/run/store.sock", ()),
        ("unix://:secret@/run/store.sock?db=2", "", 6379, "/run/store.sock", (("AUTH", "secret"), ("SELECT", "2"))),
    ],
)
def test_urls_are_read_as_the_client_library_reads_them(url, host, port, path, greeting):
    address = Address.of(url)
    assert (address.host, address.port, address.path, address.greeting) == (host, port, path, greeting)
    assert address.tls is None


def test_tls_checks_the_certificate_and_the_name():
    tls = Address.of("rediss://store").tls
    assert tls is not None
    assert (tls.verify_mode, tls.check_hostname) == (ssl.CERT_REQUIRED, True)


@pytest.mark.parametrize(
    ("url", "what"),
    [
        ("http://store", "scheme must be one of redis, rediss, unix"),
        ("redis://store?ssl_ca_certs=/a", "unknown options ssl_ca_certs"),
        ("rediss://store?ssl_cert_reqs=none", "unknown options ssl_cert_reqs"),
        ("redis://store?health_check_interval=5&protocol=3", "unknown options health_check_interval, protocol"),
        ("redis://store/first", "the database must be a number, is 'first'"),
    ],
)
def test_what_is_not_known_is_refused_by_name(url, what):
    with pytest.raises(ValueError, match=what):
        Address.of(url)
