# needs: pyparsing==3.3.3
import pyparsing as pp
from pyparsing import (
    CaselessKeyword,
    DelimitedList,
    Dict,
    Forward,
    Group,
    Literal,
    OneOrMore,
    OpAssoc,
    ParseException,
    Suppress,
    Word,
    ZeroOrMore,
    alphas,
    infix_notation,
    nums,
    quoted_string,
    remove_quotes,
)
from pyparsing import (
    pyparsing_common as ppc,
)

greet = Word(alphas) + "," + Word(alphas) + "!"
for greeting_str in ["Hello, World!", "Bonjour, Monde!", "Hola, Mundo!"]:
    greeting = greet.parse_string(greeting_str)
    print(greeting, list(greeting), len(greeting))

integer = ppc.integer
operand = integer | Word(alphas, exact=1)


def evalop(s, at, t):
    left, op, right = t[0][0], t[0][1], t[0][2:]
    print("op", op, left, list(right))


arith = infix_notation(operand, [(pp.one_of("* /"), 2, OpAssoc.LEFT, evalop), (pp.one_of("+ -"), 2, OpAssoc.LEFT)])
print(arith.parse_string("1+2*3").as_list())
print(arith.parse_string("(a+b)*c/4", parse_all=True).as_list())

key = Word(alphas + "_")
value = ppc.number | quoted_string.copy().add_parse_action(remove_quotes)
pair = Group(key("key") + Suppress("=") + value("value"))
config = Dict(OneOrMore(pair))
r = config.parse_string('width=10 name="some box" height=2.5')
print(r.dump())
print(r["width"], r.name, r.as_dict())
for p in r:
    print(p.key, p.value, p[0])
stack = []
expr = Forward()
atom = ppc.number | Group(Suppress("(") + expr + Suppress(")"))
expr <<= atom + ZeroOrMore(Literal("+") + atom)
num = ppc.integer().add_parse_action(lambda t: t[0] * 2)
num.add_condition(lambda t: t[0] < 100, message="too large")
print(num.parse_string("21")[0])
try:
    num.parse_string("210")
except ParseException as pe:
    print(pe, pe.loc, pe.lineno, pe.column, pe.msg, pe.line)
    print(pe.explain(depth=0))
for toks, start, end in Word(nums).scan_string("ab 12 cd 345"):
    print(toks, start, end)
print(Word(alphas).set_parse_action(lambda t: t[0].upper()).transform_string("ab 12 cd"))
try:
    arith.parse_string("1+", parse_all=True)
except pp.ParseBaseException as e:
    print(type(e).__name__, e)
ok, results = (CaselessKeyword("select") + DelimitedList(Word(alphas))("cols")).run_tests(["SELECT a,b", "select"], print_results=False)
print(ok, [str(x) for _, x in results])
print(expr.parse_string("1+(2+3)+4").as_list(), str(integer), repr(greet))
