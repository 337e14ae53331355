# needs: html5lib==1.1 six==1.17.0 webencodings==0.6.1
import io
import xml.etree.ElementTree as ET

import html5lib
from html5lib import HTMLParser, getTreeBuilder, getTreeWalker, serialize, treebuilders, treewalkers
from html5lib.filters import base, sanitizer, whitespace
from html5lib.html5parser import ParseError
from html5lib.serializer import HTMLSerializer

document = html5lib.parse("<p>Hello World!<br>and <b>more")
print(type(document), document.tag, len(document), document[1][0].text)
print(serialize(document), serialize(document, quote_attr_values="always", omit_optional_tags=False, tree="etree"))
page = io.BytesIO("<title>Grüße</title><p class=x id=y>é".encode("latin-1"))
document = html5lib.parse(page, transport_encoding="latin-1", namespaceHTMLElements=False)
print(ET.tostring(document), document.find("body/p").get("class"), [e.tag for e in document.iter()])
with io.StringIO("<ul><li>a<li>b</ul>") as file:
    fragment = html5lib.parseFragment(file, namespaceHTMLElements=False)
print(ET.tostring(fragment), fragment.findall("ul/li")[1].text)
dom = html5lib.parse("<p>dom", treebuilder="dom")
print(type(dom).__name__, dom.documentElement.tagName)
parser = HTMLParser(tree=getTreeBuilder("dom"), strict=False)
minidom_document = parser.parse("<p>Hello <b>World</p>")
print(minidom_document.getElementsByTagName("b")[0].toxml(), [(e[1], e[0]) for e in parser.errors], parser.documentEncoding)
try:
    HTMLParser(strict=True).parse("<p>no doctype")
except ParseError as error:
    print(type(error).__name__, error)
walker = getTreeWalker("etree")
tree = html5lib.parse("<div><p onclick='x()'>a  b</p>\n <script>x</script></div>")
stream = walker(tree)
print([token["type"] for token in stream][:6])


class Upper(base.Filter):
    def __iter__(self):
        for token in super().__iter__():
            if token["type"] == "Characters":
                token["data"] = token["data"].upper()
            yield token


print(HTMLSerializer(strip_whitespace=True).render(Upper(walker(tree))))
print("".join(HTMLSerializer().serialize(whitespace.Filter(sanitizer.Filter(walker(tree))))))


class Counting(treebuilders.getTreeBuilder("etree", implementation=ET)):
    made = 0

    def createElement(self, token):
        Counting.made += 1
        return super().createElement(token)


print(html5lib.HTMLParser(Counting).parse("<p>x<i>y").tag, Counting.made)
try:
    treewalkers.getTreeWalker("nonsense")
except ValueError as error:
    print(error)
