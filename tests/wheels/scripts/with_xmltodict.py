# needs: xmltodict==1.0.4
import gzip
import io
from collections import OrderedDict
from xml.parsers.expat import ExpatError

import xmltodict

XML = """<mydocument has="an attribute"><and><many>elements</many><many>more elements</many></and>
<plus a="complex">element as well</plus></mydocument>"""
doc = xmltodict.parse(XML)
print(doc, doc["mydocument"]["@has"], doc["mydocument"]["plus"]["#text"])
print(xmltodict.unparse(doc, pretty=True))
print(
    xmltodict.parse(
        '<root xmlns="http://d/" xmlns:a="http://a/"><x>1</x><a:y>2</a:y></root>',
        process_namespaces=True,
        namespaces={"http://a/": "ns_a", "http://d/": None},
    )
)
seen = []


def handle(path, item):
    seen.append(([name for name, _ in path], path[1][1], item))
    return True


xmltodict.parse("<a prop='x'><b n='1'>one</b><b n='2'>two</b></a>", item_depth=2, item_callback=handle)
print(seen)
data = io.BytesIO(gzip.compress(b"<feed>" + b"".join(b"<i>%d</i>" % n for n in range(500)) + b"</feed>"))
total = 0


def add(_, item):
    global total
    total += int(item)
    return total < 1000


try:
    xmltodict.parse(gzip.GzipFile(fileobj=data), item_depth=2, item_callback=add)
except xmltodict.ParsingInterrupted as stop:
    print("stopped", total, stop)


def number(path, key, value):
    try:
        return key + ":int", int(value)
    except (ValueError, TypeError):
        return key, value


print(xmltodict.parse("<a><b>2</b><b>x</b></a>", postprocessor=number), xmltodict.parse("<a><b>1</b></a>", force_list=("b",)))
print(xmltodict.parse("<a><b>1</b><c>2</c></a>", force_list=lambda path, key, value: key == "c", dict_constructor=OrderedDict))
out = io.StringIO()
xmltodict.unparse({"a": {"@x": "1", "b": ["1", None, True]}}, output=out, short_empty_elements=True)
print(out.getvalue(), xmltodict.unparse({"a": 1}, preprocessor=lambda key, value: (key.upper(), value * 2), full_document=False))
ENTITY = "<!DOCTYPE a [<!ENTITY e 'x'>]><a>&e;</a>"
for bad in (lambda: xmltodict.parse("<a><b></a>"), lambda: xmltodict.unparse({"a": 1, "b": 2}), lambda: xmltodict.parse(ENTITY)):
    try:
        bad()
    except (ExpatError, ValueError) as error:
        print(type(error).__name__, error)
print(xmltodict.parse(part for part in [b"<a>", b"x</a>"]))
