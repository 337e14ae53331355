# needs: Werkzeug==3.1.9 MarkupSafe==3.0.4
from datetime import UTC, datetime

from werkzeug.datastructures import Headers, ImmutableMultiDict, MultiDict
from werkzeug.exceptions import HTTPException, NotFound, abort
from werkzeug.http import http_date, parse_options_header
from werkzeug.routing import BaseConverter, Map, Rule
from werkzeug.security import check_password_hash, generate_password_hash
from werkzeug.test import Client, EnvironBuilder, create_environ, run_wsgi_app
from werkzeug.utils import secure_filename
from werkzeug.wrappers import Request, Response


@Request.application
def application(request: Request) -> Response:
    return Response(f"Hello {request.args.get('name', 'World')}!")


c = Client(application)
r = c.get("/?name=Ann")
print(r.status, r.status_code, r.text, r.headers["Content-Type"])

url_map = Map([Rule("/", endpoint="index"), Rule("/<int:year>/<slug>", endpoint="post"), Rule("/x/", endpoint="x")])


def app2(environ, start_response):
    urls = url_map.bind_to_environ(environ)
    try:
        endpoint, args = urls.match()
    except HTTPException as e:
        return e(environ, start_response)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"Rule points to {endpoint!r} with arguments {args!r}".encode()]


for path in ("/", "/2020/a", "/none", "/x"):
    body, status, headers = run_wsgi_app(app2, create_environ(path, "http://localhost/"))
    print(status, b"".join(body)[:60])
u = url_map.bind("example.com", "/")
print(u.build("post", {"year": 2020, "slug": "a b"}), u.match("/1/b"))
try:
    u.match("/nope/nope/nope")
except NotFound as e:
    print(e, e.code, e.name)
req = Request(EnvironBuilder(method="POST", path="/f", data={"a": "1", "b": ["2", "3"]}, headers={"X-A": "b"}).get_environ())
print(req.method, req.form["a"], req.form.getlist("b"), req.headers["X-A"], req.path, req.url, req.is_json)
m = MultiDict([("a", "1"), ("a", "2"), ("b", "3")])
print(m["a"], m.getlist("a"), m.to_dict(flat=False), len(m), "b" in m, m)
h = Headers([("X", "1")])
h.add("Y", "2", q="z")
h["X"] = "5"
print(list(h), h.get("x"), str(h))
print(
    secure_filename("../../../etc/passwd"),
    http_date(datetime(2020, 1, 2, tzinfo=UTC)),
    parse_options_header("text/html; charset=utf8"),
)
hashed = generate_password_hash("secret", method="pbkdf2:sha256:1000")
print(check_password_hash(hashed, "secret"), check_password_hash(hashed, "no"))
resp = Response("x", mimetype="text/plain")
resp.set_cookie("k", "v", httponly=True)
print(resp.headers.getlist("Set-Cookie"), resp.get_data())
try:
    abort(404)
except HTTPException as e:
    print(e, e.get_response().status, e.description[:20])
try:
    ImmutableMultiDict([("a", 1)])["a"] = 2
except TypeError as e:
    print(e)
try:
    m["zzz"]
except KeyError as e:
    print(type(e).__mro__[1].__name__)


class Bool(BaseConverter):
    def to_python(self, value):
        return value == "yes"

    def to_url(self, value):
        return "yes" if value else "no"


m2 = Map([Rule("/b/<bool:v>", endpoint="b")], converters={"bool": Bool}).bind("h")
print(m2.match("/b/yes"), m2.build("b", {"v": False}))
