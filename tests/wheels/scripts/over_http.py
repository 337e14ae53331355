import sys

import requests
from requests.exceptions import RequestException

req = requests.Request(
    "GET", "http://example.org/get", params={"key1": "value1", "key2": ["a", "b"]}, headers={"X-A": "1"}, auth=("user", "pass")
)
p = req.prepare()
print(p.method, p.url, dict(p.headers))
p = requests.Request("POST", "http://example.org/post", data={"a": "b c"}).prepare()
print(p.body, p.headers["Content-Type"])
p = requests.Request("POST", "http://example.org/post", json={"a": [1]}).prepare()
print(p.body, p.headers["Content-Length"])
p = requests.Request("POST", "http://example.org/post", files={"file": ("r.csv", "some,data\n")}).prepare()
print(len(p.body), b"some,data" in p.body)
s = requests.Session()
s.auth = ("u", "p")
s.headers.update({"x-test": "true"})
s.cookies.set("c", "1")
print(s.prepare_request(requests.Request("GET", "http://example.org/")).headers["Cookie"], s.headers["x-test"])
for bad in ("nope", "http://", "ftp://x.org/"):
    try:
        requests.get(bad)
    except RequestException as e:
        print(type(e).__name__, e)
print(
    requests.codes.ok,
    requests.codes["not_found"],
    requests.utils.quote("a b"),
    requests.utils.get_encoding_from_headers({"content-type": "text/html; charset=x"}),
)
r = requests.Response()
r.status_code = 404
r._content = b'{"a": 1}'
r.url = "http://x/"
r.reason = "Not Found"
print(r.ok, r.json(), r.text, r)
try:
    r.raise_for_status()
except requests.HTTPError as e:
    print(e, e.response is r, e.response.status_code)
print(requests.structures.CaseInsensitiveDict({"A": 1})["a"], requests.__version__, requests.certs.where().endswith("cacert.pem"))
port = sys.argv[1]
r = requests.get(f"http://127.0.0.1:{port}/hello?x=1", headers={"X-T": "t"}, timeout=5)
print(r.status_code, r.text, r.headers["Content-Type"], r.encoding, r.elapsed.total_seconds() >= 0, r.history, r.request.url == r.url)
print(requests.post(f"http://127.0.0.1:{port}/echo", json={"k": 1}).json())
with requests.Session() as s:
    r = s.get(f"http://127.0.0.1:{port}/redirect")
    print(r.url.endswith("/hello"), [h.status_code for h in r.history], r.cookies.get_dict())
    with s.get(f"http://127.0.0.1:{port}/big", stream=True) as r:
        print(sum(len(c) for c in r.iter_content(1000)), r.raw.closed)
    print(list(s.get(f"http://127.0.0.1:{port}/lines").iter_lines()))
    print(s.get(f"http://127.0.0.1:{port}/gzip").text)
