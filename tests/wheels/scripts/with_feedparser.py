# needs: feedparser==6.0.11 sgmllib3k==1.0.0
import copy
import datetime
import io
import json
import pickle
import time

import feedparser

RSS = """<?xml version="1.0" encoding="utf-8"?>
<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>Sample</title><link>http://example.org/</link>
<description>For &lt;em&gt;docs&lt;/em&gt; <![CDATA[<script>x</script>]]></description><pubDate>Sat, 07 Sep 2002 00:00:01 GMT</pubDate>
<item><title>First</title><link>/a</link><description>Watch &lt;script&gt;x&lt;/script&gt;out</description>
<pubDate>Thu, 05 Sep 2002 00:00:01 GMT</pubDate><guid>http://example.org/entry/3</guid><dc:creator>Ann</dc:creator><category>x</category>
<category>y</category><enclosure url="http://x/y.mp3" length="10" type="audio/mpeg"/></item>
<item><title>Second &amp; last</title></item></channel></rss>"""
d = feedparser.parse(RSS)
print(d.feed.title, d["feed"]["link"], d.feed.description, d.version, d.bozo, len(d.entries), d.encoding)
print(d.feed.published, time.strftime("%Y-%m-%d", d.feed.published_parsed), time.mktime(d.feed.published_parsed) > 0)
e = d.entries[0]
print(e.title, e.link, e.summary, e.id, e.author, [t.term for t in e.tags], e.enclosures[0].href)
print(isinstance(e.published_parsed, time.struct_time), e.published_parsed.tm_year, datetime.datetime(*e.published_parsed[:6]))
print("title" in e, e.get("nope", "other"), sorted(e.keys()), hasattr(e, "nope"), isinstance(e, dict))
print(json.dumps(d.feed.title_detail), json.dumps(e, default=list)[:60], dict(d.feed.title_detail))
e["read"] = True
d["entries"][1]["tags"] = [{"term": "new"}]
print(d.entries[0]["read"], d.entries[1].tags)
for one in d.entries:
    print(one.title, one.get("link"))
for wrong in (lambda: e.nope, lambda: d.entries[1]["nope"]):
    try:
        wrong()
    except (AttributeError, KeyError) as error:
        print(type(error).__name__, error)
ATOM = b"""<feed xmlns="http://www.w3.org/2005/Atom" xml:base="http://example.org/"><title type="text">Sample</title><entry><title>E</title>
<link href="/e"/><id>tag:1</id><updated>2005-11-09T11:56:34Z</updated><content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">
Hi <b>x</b></div></content><author><name>M</name><email>m@x.y</email></author></entry></feed>"""
a = feedparser.parse(io.BytesIO(ATOM), sanitize_html=False)
print(a.entries[0].content, a.entries[0].link, a.entries[0].author_detail, a.entries[0].updated_parsed)
bad = feedparser.parse("<rss><channel><title>x</rss>")
print(bad.bozo, type(bad.bozo_exception).__name__, bad.bozo_exception)
feedparser.registerDateHandler(lambda text: (2020, 1, 1, 0, 0, 0, 2, 1, 0) if text == "tomorrow" else None)
late = feedparser.parse("<rss version='2.0'><channel><item><pubDate>tomorrow</pubDate></item></channel></rss>")
print(late.entries[0].published_parsed)
with open("feed.xml", "w") as file:
    file.write(RSS)
with open("feed.xml", "rb") as file:
    print(feedparser.parse(file).feed.title)
print(copy.deepcopy(d).feed.title, pickle.loads(pickle.dumps(e)).title, feedparser.__version__)
