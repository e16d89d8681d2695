"""Replies as somebody writes them who is paid for every point, and honest ones in odd forms: who earns what."""

from functools import partial

import pytest

from modomodo.core.rows import Target, View
from modomodo.verifiers import grade

maths = partial(Target, "math")
COUNTED = Target("count", 5)
SHARE, PRICE = Target("number", "50%"), Target("number", "$50")
HALVES = Target("choice", "B", ("x", r"$\frac{1}{2}$", "3"))
SAYING = Target("choice", "A", ("B is correct", "both", "A is correct"))
RAISED = Target("choice", "A", ("10²", "102"))
SAID = Target("choice", "C", SAYING.options)
POWER, SQUARED, MEGAWATT = Target("text", "10⁵"), Target("text", "5²"), Target("text", "MW")
COLD, YES = Target("text", "-5 °C"), Target("text", "yes")
ONE_OF = Target("boxes", ((10, 20, 30, 60),))
# What no list of words could foresee.
STRANGE = ["quadrillion", "zillion", "millones", "Millionen", "tausend", "ribu", "myriads", "hundredfold", "halfs",
    "factorials", "sqrt", "plusminus", "seis", "sechs", "crossed out", "negated", "withdrawn", "refuted", "fails",
    "contradicts", "rubbish", "trick answer", "lakhs", "Dutzend", "mille", "juta", "nope", "blah", "or", "red herring",
    "dogs refuted", "wrong units", "in jest", "scrapped", "reversed", "cubed root", "inverse dogs", "tens",
    "googol", "sept", "oder", "falsch", "faux", "mal", "et demi"]  # fmt: skip
NUMBER, ZERO = Target("number", 12), Target("number", 0, tolerance=0.05)
CHARGE = Target("number", 1.6e-19)
COUNT = Target("count", 3)
CHOICE = Target("choice", "B", ("a cat", "a dog", "the cat and the dog", "none"))
SIGNS = Target("choice", "A", ("-5", "5"))
BOX = Target("box", (10, 20, 30, 60))
BOXES = Target("boxes", ((0, 0, 10, 10), (100, 0, 110, 20)))
TWINS = Target("boxes", ((0, 0, 10, 10), (0, 0, 10, 10)))
POINT = Target("point", (10, 20, 30, 60))
ANLS = Target("anls", ("42", "Paris"))
WHOLE = Target("relaxed", "60", tolerance=0.0)
TEXT = Target("text", "red ball")

HOSTILE = {
    maths("5"): ["6=5", "x=6=5", "1=2=3=4=5", "5=6", "x=5=y", "x=y=6=5", "6 apples = 5", "2x=5", "x+1=5", "x^2=5",
        "-x=5", r"x \ne y = 5", r"\lnot x = 5", r"\forall x=5", "= =5", r"x=6 \implies x=5", r"6 \to 5", "6 => 5",
        # Approximations, where the gold is exact.
        r"5 \approx 6", r"6 \approx 5", r"4.9 \approx 5", r"5 \sim 6", "~5", r"x \approx 5", r"5 \pm 0", "4.9999999",
        # Marks that math-verify passes over.
        "5_6", "(5)_6", "5'", "5''", "5\"", r"5^\prime", "5^T", r"5^{\top}", "5^*", r"5^{\dagger}", "5...",
        r"5\ldots", r"\cancel{5}", r"5 \tag{6}", "5?", "5!",
        # Words after the number.
        r"5\text{ is wrong}", r"5\text{ no, 6}", r"5 \mathrm{ or 6}", r"5\text{ million}", "5 thousand", "5k", "5K",
        "5 dozen", "5 halves", "5 or so", "5 at least", "5 hopefully", "5 just kidding", "5 squared", r"$5$ million",
        r"\boxed{5} or 6", "5 ft 6 in", "5(1) cm", "The answer is 5 or 6", "The answer is not 5",
        # Several values.
        "1,1", "5,5", r"\{5,5\}", "5;6", r"5 \quad 1", "5 6", "5:1", r"5 \lor 6", "x=5, x=6", r"x \in \{5,6\}", "x>4",
        # Words before it.
        "refuted = 5", "minus x = 5", "half of x = 5", "twice x = 5", "opposite = 5", "decoy: x = 5", "Rubbish = 5",
        "x squared = 5", "sqrt x = 5", "-AB = 5", "2AB = 5", "AB^2=5", "HALF = 5", "REFUTED = 5", "The opposite is $5$",
        "The wrong answer is $5$", "Half of it is $5$", "Twice that is $5$", "a decoy is $5$", "Hence not $5$",
        # What is still to be worked out.
        "2+3", "10/2", r"\frac{10}{2}", r"\sqrt{25}", r"5\cdot 1", "|-5|", r"\log_2 32", "x=2+3", "2x=10",
        r"11 \bmod 6", *(f"5 {words}" for words in STRANGE), *(rf"5\text{{ {words}}}" for words in STRANGE)],
    maths(r"\sqrt{3}"): [*(rf"\sqrt{{3}}\text{{ {words}}}" for words in STRANGE), r"\sqrt{3}^\circ", r"\sqrt{3}\%"],
    maths("(2,5)"): [*(rf"(2,5)\text{{ {words}}}" for words in STRANGE[:8]), "y=2,x=5", "(y,x)=(2,5)", "x=5, y=2"],
    maths("x=2, y=5"): ["y=2, x=5", "5,2", "(5,2)", "(y,x)=(2,5)"],
    maths("x>3"): [r"x>3\text{ refuted}", r"[3,\infty)", r"(-\infty,3)", "y>3 or y<3", r"x \ge 3", "(3,4)"],
    maths("(0,1)"): [r"0 \le x<1", "0<x", "[0,1]", "0>x>1", "(0,1]"],
    maths(r"\frac{\pi}{3}"): [r"\frac{\pi}{3}^\circ", r"\pi/3 degrees", "60", r"30^\circ", r"60^\circ C"],
    maths(r"60^\circ"): [r"\frac{\pi}{6}", r"\frac{\pi}{3}^\circ", r"\frac{60\pi}{180}\text{ cm}"],
    maths("0.25"): ["0.25%", "2500%"],
    maths("1"): ["1%", "0.01", "10000%"],
    maths("50"): ["5000%", "0.5%", "0.5"],
    maths("x^2+2"): ["X^2+2", "x^2+2y-2y'"],
    maths("ab"): ["AB", "Ab", "aB"],
    maths("x^2+3"): [r"\mathrm{X}^2+3", r"x^2+3\text{ NOT}", r"x^2+3\mathrm{ refuted}", r"\text{not }x^2+3"],
    maths(r"\Gamma"): [r"\gamma"],
    maths(r"2\delta"): [r"2\Delta"],
    maths("5 m"): ["50 cm", "5 cm", r"500\text{ mm}", "500 cm^2", "5 s"],
    maths("25"): ["25 K", "25K", "25T", "25 F"],
    maths("0"): ["1e-9", r"10^{-20}", r"\frac{1}{2^{99}}", "1-1", "0,0", "x-x"],
    maths(r"\frac{1}{2}"): [r"1-\frac12", r"\frac13=\frac12", "2^{-1}", r"\frac12\text{ million}", r"\cos 60^\circ"],
    maths("3.14"): [r"3.1 \approx 3.14", r"3.14 \approx 3.1", r"x \approx 3.2 \approx 3.14", "3.141"],
    maths(r"1.6\times 10^{-19}"): [r"9.1\times 10^{-31}", "0.0", "0", r"1.61\times 10^{-19}", r"1.6\times 10^{-20}"],
    maths(r"5\text{ cm}"): ["5 m", r"5\text{ km}", r"5\text{ cm}^2", r"6\text{ cm}=5\text{ cm}", "5 cm or m",
        "5 inches"],
    maths(r"30^\circ"): [r"30\%", "30^\\circ C", r"30\text{ cm}", "30'"],
    maths(r"\sqrt{2}"): [r"\sqrt{2}'", r"\sqrt{2}^T", r"\sqrt{3}=\sqrt{2}", r"\sqrt{2}\text{ wrong}", r"\sqrt{2}c",
        r"\sqrt{2} more", r"\sqrt{2},\sqrt{2}", r"\sqrt{2}\approx 1.5", r"\sqrt{2}\ldots", r"\sqrt{2} xyz", "1.414",
        r"\sqrt{2}\pm 0"],
    maths("x^2+1"): ["x^2=x^2+1", "x=x^2+1", "x^2+1,x^2+1", "x^2+1=0", "(x^2+1)^T"],
    maths(r"\{1,2\}"): ["1,1,2", "1,2,2", "(1,2)", r"1,2,\ldots", r"\{1,1+1\}", r"\{1,3\} = \{1,2\}", "x=3=1, x=2"],
    maths("(3,4)"): ["(3,5)=(3,4)", "(4,3)", r"\{3,4\}", r"\{3,4,4\}", "(3,1+3)"],
    maths("x>2"): ["x>2,x<3", "x>2'", "x>1>2"],
    maths("x=5"): ["x=6=5", "y=5", "x=10/2", "x=5,6", r"x=6 \implies x=5"],
    maths("y=2x+1"): ["y=3x=2x+1", "y=2x+1=0", "y>2x+1"],
    maths(r"\pm 3"): ["3", "3,3", "3,-3,3", r"\pm(2+1)"],
    maths(r"25\pi\text{ cm}^2"): [r"25\pi\text{ cm}", r"25\pi\text{ m}^2", r"24\pi=25\pi", r"25\pi \approx 80"],
    maths("3d"): ["3", "3c"],
    maths(r"x^{2}c"): ["x^2"],
    maths("2a+3b"): ["2a=2a+3b", "a-b=2a+3b", "5ab"],
    maths("yes"): ["yes or no", "not yes", "sey"],
    maths(r"\frac{1}{2^{99}}"): [r"\frac{1}{2^{98}}", "0"],
    maths(r"1.6\times 10^{-19}x"): [r"9.1\times 10^{-31}x"],
    maths(r"x>1.6\times 10^{-19}"): [r"x>9.1\times 10^{-31}", "x>0"],
    maths(r"x=1.6\times 10^{-19}"): [r"x-9.1\times 10^{-31}=0", "x=0"],
    maths(r"1.6\times 10^{-19}, 2"): [r"9.1\times 10^{-31}, 2", "0, 2"],
    maths(r"\begin{pmatrix}10^{-9}\\1\end{pmatrix}"): [r"\begin{pmatrix}10^{-8}\\1\end{pmatrix}"],
    NUMBER: [r"\boxed{12} or 13", r"\boxed{12, 13}", r"\boxed{11}12", "12k", "12_13", "12'", r"\frac{24}{2}", "10+2",
        "**12** **13**"],
    ZERO: [".001", "0.04", "-0.05", "1e-300"],
    CHARGE: ["9.1e-31", "0", r"1.6\times 10^{-18}"],
    COUNT: ["3 dozen", "3 pairs", "3 or 4 dogs", "3-4 dogs", "3 dogs, 4 cats", "3 or more", "3 dogs four cats",
        "3 million dogs", "3 dogs maybe", "3 halves", "3 K", r"\boxed{3 or 4 dogs}", r"\boxed{3}\boxed{4}",
        "at least 3", "3.5 dogs", "three"],
    COUNTED: ["5%", "$5", "$5%", "5°", r"5\%", "5 degrees", *(f"5 {words}" for words in STRANGE)],
    SHARE: ["$50", "50°", "50$", "$50%"],
    PRICE: ["50%", "50°", "$50%"],
    HALVES: ["B. 3", "B, C", "B?", "*B* *C*", '"B" "C"', "B, 3", r"A. \frac{1}{2}"],
    RAISED: ["A. 102", "B: 10²", "102"],
    SAYING: ["A is correct.", "A is correct", "**A is correct**", "A is correct!"],
    SAID: ["B is correct.", "A"],
    POWER: ["105", "10 5", "10-5"],
    SQUARED: ["52", "25"],
    Target("text", "2ˣ"): ["2x"],
    Target("text", "101₂"): ["1012"],
    MEGAWATT: ["mW", "kW"],
    COLD: ["5 °C", "-5 C°"],
    YES: ["yes?", "not yes!", "yes, no", "*yes* no", "yes or no!"],
    CHOICE: [r"\boxed{A}\boxed{B}", r"\boxed{A, B}", "[A][B]", "[A, B]", "Option A or B", "B - a cat", "B or C",
        "not [B]", "B?", "B is incorrect", "A is wrong, B is correct", "Option B - a cat", "(C) a dog", "B (a cat)",
        "**B** or **C**", "answer a"],
    SIGNS: ["A - 5", "B: -5", "A: 5"],
    BOX: ["(10,20),(30,60),(0,0),(5,5)", "[[10,20,30,60],[10,20,30,61]]", "(30,60),(10,20)",
        "[10,20,30,60] or [0,0,1,1]", "<box>(10,20),(30,60)</box><box>(0,0),(5,5)</box>",
        '{"bbox_2d":[10,20,30,60],"bbox":[1,2,3,4]}', "(10,20) (30,60)",
        "['Position': [10,20,30,60], 'Position': [1,2,3,4]]", "```json\n[10,20,30,60]\n``` or [1,2,3,4]",
        "10,20,30,60", '{"bbox_2d":[10,20,30,60],"Confidence":0}', '{"bbox_2d":[10,20,30,60],"Confidence":-5}',
        '{"bbox_2d":[10,20,30,60],"score":"0"}', '{"bbox_2d":[10,20,30,60],"score":1e-9}',
        *(f'{{"bbox_2d":[10,20,30,60],"label":"{label}"}}' for label in ("not this", "no object", "wrong", "none",
          "Not the dog", "nothing", "the dog is not here", "fake box", "is wrong")),
        '{"bbox_2d":[10,20,30,60],"negated":1}', '{"x1":10,"y1":20,"x2":30,"y2":60,"bbox":[10,20,30,60]}',
        "not dog<box>[[10,20,30,60]]</box>", "anything but<box>[[10,20,30,60]]</box>",
        "<ref>not the dog</ref><box>[[10,20,30,60]]</box>", '{"x1":10,"y1":20,"x2":30}'],
    ONE_OF: ['[{"bbox_2d":[10,20,30,60],"Confidence":0}]', '[{"bbox_2d":[10,20,30,60],"label":"no object"}]'],
    BOXES: ["(0,0),(10,10),(100,0),(110,20)", "no objects", "[[0,0,10,10],[100,0,110,20]] or none"],
    POINT: ["(20,40),(30,60)", "[[20,40],[1,1]]", "click(20,40) or click(1,2)", "not click(20,40)", "20, 40",
        '<point x="20" y="40" alt="not the dog">dog</point>', '{"x":20,"y":40,"width":1,"height":1}',
        '{"point":[20,40],"confidence":0}'],
    ANLS: ["ΐ" * 3, "ΐ" * 50, "ß" * 9, "ŉ", "ﬃ", "  x  "],
    WHOLE: ["61", "59", "60.1"],
    TEXT: [r"\boxed{red ball} or blue", "red ball or blue ball", "**red ball**s"],
}  # fmt: skip

HONEST = {
    maths("5"): ["5.0", "$5$", r"\boxed{5}", "**5**", r"\text{5}", "(5)", r"\{5\}", "x=5", r"x=\boxed{5}", "x = $5$",
        "= 5", "f'(2)=5", "AB=CD=5", r"\overline{AB}=5", "a+b=5", "Area = 5", r"\angle ABC=5^\circ", "2+3=5",
        r"x=\frac{10}{2}=5", r"\sqrt{25}=5", r"5\text{ cm}", "5 cm", "5cm", r"5\,\mathrm{m\,s^{-1}}",
        "The area of the shaded region = 5", "Therefore the answer is $5$", "Thus, $x = 5$", "f^{-1}(x) = 5",
        "We get $5$", r"\text{Total cost}=5", "Hypotenuse = 5", "ABCD = 5", "5 miles per hour",
        "5°", r"\$5.00", "5 apples", "5 square units", "$5$ cm", r"\boxed{5}\text{ cm}", r"5\%",
        "The answer is 5", "Final answer: $5$", r"0.5\times 10^1", "5 km/h"],
    maths("0.5"): ["1/2", r"\frac12", r"50\%", "2/4", "½", ".5"],
    maths(r"\frac{1}{2}"): ["0.5", "2/4", r"P(A)=\frac{2}{4}=\frac{1}{2}", r"\sin 30^\circ=\frac{1}{2}",
        r"\frac{1}{2} \approx 0.50"],
    maths("1/3"): ["0.333333", r"0.\overline{3}", "0.333...", r"\frac13 \approx 0.33"],
    maths("3.14"): [r"x \approx 3.14", r"\frac{22}{7} \approx 3.14", r"3.14\text{ m}"],
    maths("-3"): ["−3", "-3.0", r"-3^\circ"],
    maths(r"1.6\times 10^{-19}"): ["1.6e-19", "1.6 × 10⁻¹⁹", r"q=16\cdot 10^{-20}", r"1.6\times 10^{-19}\,\text{J}"],
    maths(r"5\text{ cm}"): ["5", "5cm", "5 centimetres", r"x=5\text{ cm}"],
    maths(r"30^\circ"): ["30", "30°", "30 degrees"],
    maths(r"50\%"): ["0.5", "50", "50 percent"],
    maths(r"\sqrt{2}"): ["√2", r"\frac{2}{\sqrt{2}}=\sqrt2", r"x=\sqrt{2} \approx 1.4142", "1.41421356",
        r"\boxed{\sqrt{2}} cm"],
    maths("x^2+1"): ["1+x^2", "f(x)=x^2+1", "(x+1)^2-2x=x^2+1"],
    maths(r"\{1,2\}"): ["2, 1", "x=1 or x=2", r"x \in \{1,2\}", "$1$ and $2$", "x_1=1, x_2=2"],
    maths("(3,4)"): ["3,4", "(x,y)=(3,4)", r"(3,\,4)"],
    maths("x>2"): ["2<x", "x-2>0"],
    maths("x=5"): ["5", "x=2+3=5", r"\boxed{x=5}"],
    maths("y=2x+1"): ["2x+1", "2x-y+1=0", "y=x+x+1=2x+1"],
    maths(r"\pm 3"): ["3,-3", "x=3 or x=-3", r"x=\pm 3"],
    maths(r"25\pi\text{ cm}^2"): [r"25\pi", "A=25π", r"25\pi \approx 78.54", r"25\pi\text{ square centimeters}"],
    maths("3d"): ["d+2d", "3 d"],
    maths("yes"): [r"\boxed{\text{Yes}}", "YES."],
    maths(r"\sqrt{3}"): ["3^{0.5}", "3^0.5", "3^{1/2}", r"\sqrt{3}\text{ cm}", r"\sqrt{3} sq. cm"],
    maths("25"): [*(rf"25\text{{ {unit}}}" for unit in "KCTFH"), r"25\,\mathrm{C}", "25 kelvin", "25 coulombs",
        "25 rpm", "25 dogs in total", "25 sq. ft", "25 hrs."],
    maths(r"25^\circ C"): [r"25\text{ C}", "25 C", "25°", "25"],
    maths(r"\frac{\pi}{3}"): [r"60^\circ", "60 degrees", r"\theta=\frac{\pi}{3}=60^\circ", r"\pi/3\text{ rad}"],
    maths(r"60^\circ"): [r"\pi/3", r"\frac{\pi}{3}", r"\frac{1}{3}\pi", r"\frac{\pi}{3} rad",
        r"\frac{\pi}{3}=60^\circ"],
    maths("5 m"): ["500 cm", "0.005 km", r"5000\text{ mm}"],
    maths("36 km/h"): ["10 m/s", r"10\,\mathrm{m\,s^{-1}}"],
    maths("2 J"): ["2 N m", "0.002 kJ"],
    maths(r"25\pi\text{ m}^2"): [r"250000\pi\text{ cm}^2"],
    maths("12 cm^2"): ["12 sq. cm", "12 sq cm", "12 square cm", "1200 mm^2"],
    maths("(0,1)"): ["0<x<1", "1>x>0", r"x\in(0,1)"],
    maths("x>3"): [r"(3,\infty)", r"x\in(3,\infty)", "3<x", r"\{x \mid x>3\}"],
    maths(r"(-\infty,1)\cup(2,\infty)"): [r"x<1 \text{ or } x>2", "x<1 or x>2"],
    maths("(2,5)"): ["x=2, y=5", "y=5, x=2", "(x,y)=(2,5)", "(y,x)=(5,2)", "m=2, b=5"],
    maths("(x,y)=(2,5)"): ["(2,5)", "x=2,y=5"],
    maths("2e^2"): [r"2\mathrm{e}^2", r"2\mathrm{e}^{2}"],
    maths("i+2j"): [r"\mathbf{i}+2\mathbf{j}"],
    maths("5 wombats"): ["5 wombats", "5", "5 red wombats"],
    maths("x+40"): [r"(x+40)^\circ"],
    COUNTED: ["5 cookies", "5 in total", "5 visible people", "*5*", "5 red cubes"],
    SHARE: ["50", "50%", r"50\%"],
    PRICE: ["50", "$50", r"\$50"],
    HALVES: [r"B. \frac{1}{2}", r"(B) $\frac{1}{2}$", "*B*", '"B"', "B,", "“B”", r"\frac{1}{2}"],
    SAID: ["A is correct.", "A is correct", "C"],
    RAISED: ["A. 10²", "A: 10^2", "10²", "Ａ"],
    POWER: ["10^5", "10⁵"],
    Target("text", "5 cm²"): ["5 cm2", "5 cm^2"],
    Target("text", "½"): ["1/2"],
    Target("text", "H₂O"): ["H2O"],
    MEGAWATT: ["MW", "mw"],
    COLD: ["−5 °C", "-5 °c."],
    YES: ["*yes*", "Yes!", "_yes_", "yes,", "***Yes***"],
    NUMBER: [r"\boxed{12}", r"$\boxed{12}$.", "**12**", r"\text{12}", r"1.2\times 10^1", r"$\$12$"],
    ZERO: ["0", "0.0", r"\boxed{0}", "-0"],
    CHARGE: [r"1.6\times 10^{-19}", "1.6×10⁻¹⁹", "1.6 x 10^-19"],
    COUNT: ["3 dogs", "3 big dogs.", r"\boxed{3}", r"\boxed{3\text{ dogs}}", "**3**", "$3$", "3 cubes",
        "3 people visible"],
    CHOICE: [r"\boxed{B}", r"\boxed{\text{(B)}}", "Option B", "[B]", "B - a dog", "B – a dog", "[B] a dog",
        "B (a dog)", "Answer B", "**Answer:** B", "The answer is option B.", "B is correct",
        r"The final answer is \boxed{B}", r"\boxed{B. a dog}", "`B`"],
    SIGNS: ["A: -5", "A - -5", "(A) -5", "-5"],
    BOX: ['```json\n[{"bbox_2d": [10, 20, 30, 60], "label": "dog"}]\n```', "(10,20),(30,60)", "[[10,20],[30,60]]",
        "<|object_ref_start|>dog<|object_ref_end|><|box_start|>(10,20),(30,60)<|box_end|>",
        "<ref>dog</ref><box>[[10,20,30,60]]</box>", "['Position': [10, 20, 30, 60], 'Confidence': 1]",
        "[10,20,30,60,]", '[{"bbox_2d":[10,20,30,60],},]', r"\boxed{[10,20,30,60]}", "[[10,20,30,60],[10,20,30,60]]",
        "[10,20,30,60].", "<|begin_of_box|>[[10,20,30,60]]<|end_of_box|>",
        r'{"bbox_2d":[10,20,30,60],"label":"the \"red\" dog"}', '{"bbox_2d":[10,20,30,60],"label":null}',
        '{"id":1,"type":"object","bbox_2d":[10,20,30,60]}', '```JSON\n{"bbox_2d":[10,20,30,60]}\n```',
        '{"x1":10,"y1":20,"x2":30,"y2":60}', '{"bbox":{"xmin":10,"ymin":20,"xmax":30,"ymax":60}}',
        '{"x":10,"y":20,"width":20,"height":40}', "<bbox>[10,20,30,60]</bbox>", '{"bounding_box":[10,20,30,60]}',
        "dog<box>[[10,20,30,60]]</box>", "the red dog <box>(10,20),(30,60)</box>",
        '{"label":"man with no hat","bbox":[10,20,30,60]}', '{"bbox":[10,20,30,60],"confidence":"0.9"}'],
    BOXES: ["<|box_start|>(0,0),(10,10)<|box_end|><|box_start|>(100,0),(110,20)<|box_end|>",
        "[0,0,10,10]\n[100,0,110,20]",
        "[['Position': [0,0,10,10], 'Confidence': 1], ['Position': [100,0,110,20], 'Confidence': 0.5]]",
        "[[(0,0),(10,10)],[(100,0),(110,20)]]", "[[0,0,10,10],[100,0,110,20],[0,0,10,10]]"],
    TWINS: ["[[0,0,10,10],[0,0,10,10]]", "[0,0,10,10]"],
    POINT: ["(20,40)", '```json\n[{"point_2d": [20, 40], "label": "x"}]\n```', "[[20,40],[20,40]]",
        '{"x":20,"y":40}', '<point x="20.5" y="40.1" alt="dog">dog</point>', "click(20,40)", "click(x=20, y=40)",
        "click(start_box='(20,40)')", "<point>20 40</point>", "pyautogui.click(x=20, y=40)", "(x=20, y=40)"],
    ANLS: ["paris", "42"],
    WHOLE: ["60", "60.0"],
    TEXT: ["**red ball**", r"\boxed{\text{Red ball}}", "“red ball”."],
}  # fmt: skip


@pytest.mark.parametrize(("target", "reply"), [(target, reply) for target, said in HOSTILE.items() for reply in said])
@pytest.mark.parametrize("mode", ["paper", "standard"])
def test_a_hostile_reply_earns_nothing(target, reply, mode):
    verdict = grade(f"<think>a</think> <answer>{reply}</answer>", target, View(mode=mode))
    assert verdict.reward == 0.0, verdict
    assert verdict.reason


@pytest.mark.parametrize(("target", "reply"), [(target, reply) for target, said in HONEST.items() for reply in said])
def test_an_honest_reply_in_an_odd_form_earns_all(target, reply):
    verdict = grade(f"<think>a</think> <answer>{reply}</answer>", target, View(mode="standard"))
    assert verdict.reward == 1.0, verdict
