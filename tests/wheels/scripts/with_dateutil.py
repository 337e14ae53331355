# needs: python-dateutil==4.0.0 tzdata==2026.6
import copy
import pickle
from datetime import UTC, date, datetime, timedelta

from dateutil import tz
from dateutil.easter import easter
from dateutil.parser import ParserError, isoparse, parse, parserinfo
from dateutil.relativedelta import FR, MO, relativedelta
from dateutil.rrule import DAILY, MONTHLY, WEEKLY, rrule, rruleset, rrulestr

now = parse("Sat Oct 11 17:13:46 UTC 2003")
today = now.date()
year = rrule(MONTHLY, dtstart=now, bymonth=8, bymonthday=13, byweekday=FR)[0].year
rdelta = relativedelta(easter(year), today)
print("Today is:", today, "Year with next Aug 13th on a Friday is:", year, rdelta)
print(today + relativedelta(months=+1, weekday=FR(-1)), now - relativedelta(years=1), relativedelta(hours=30).normalized())
print(relativedelta(months=1) + relativedelta(days=3), -rdelta, relativedelta(months=2) * 3, bool(relativedelta()), rdelta.years)
print(datetime(2003, 9, 17) + relativedelta(weekday=MO(+1)), MO(+1), relativedelta(days=1) == relativedelta(days=1))
print(timedelta(days=1) + relativedelta(hours=1), {relativedelta(days=1): 1}[relativedelta(days=1)])
print(list(rrule(DAILY, count=3, dtstart=datetime(1997, 9, 2, 9))))
ruleset = rruleset()
ruleset.rrule(rrule(WEEKLY, count=4, dtstart=datetime(1997, 9, 2)))
ruleset.exdate(datetime(1997, 9, 9))
print(list(ruleset), ruleset.after(datetime(1997, 9, 12)), ruleset.count(), datetime(1997, 9, 2) in ruleset, ruleset[-1])
print([d.day for d in rrulestr("DTSTART:19970902T090000\nRRULE:FREQ=DAILY;INTERVAL=10;COUNT=3")])
print(isoparse("2018-04-29T17:45:25Z"), parse("10/09/2003", dayfirst=True), parse("Today is 25 of May", fuzzy=True, default=now))
for text in ("hello", "not a date"):
    try:
        parse(text)
    except ParserError as error:
        print(type(error).__name__, error, isinstance(error, ValueError))
brst = tz.tzoffset("BRST", -10800)
print(parse("Thu Sep 25 10:36:28 BRST 2003", tzinfos={"BRST": brst}), datetime(2003, 1, 1, tzinfo=brst), repr(brst))
print(parse("2003-09-25 10:00 EST", tzinfos=lambda name, offset: -18000), tz.UTC, tz.gettz("Europe/Berlin").utcoffset(now))
est = tz.tzrange("EST", -18000, "EDT")
print(datetime(2003, 4, 6, 1, tzinfo=est).tzname(), datetime(2003, 7, 1, tzinfo=est).utcoffset(), now.astimezone(UTC))
print(datetime(2003, 7, 1, 12, tzinfo=tz.UTC).astimezone(est), tz.resolve_imaginary(datetime(2003, 4, 6, 2, 30, tzinfo=est)))


class CustomInfo(parserinfo):
    HMS = [("h", "std"), ("m", "min"), ("s",)]

    def validate(self, res):
        print("validate", res.hour)
        return super().validate(res)


print(parse("10h 36m", CustomInfo(), default=datetime(2003, 9, 25)), copy.copy(rdelta) == rdelta)
for day in rrule(DAILY, dtstart=date(2020, 1, 1), cache=True).xafter(datetime(2020, 1, 5), count=2):
    print(day)
print(pickle.loads(pickle.dumps(rdelta)) == rdelta)
