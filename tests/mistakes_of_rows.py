"""Mistakes in rows that init sees by what the rows hold."""

from mistakes import Mistake, lines

READINGS = (
    Mistake(
        "Wrong options without the right one",
        "The rows hold the distractors in one column and the answer in another.",
        "init quiz.jsonl --out first",
        file="quiz.jsonl",
        place="'distractors'",
        value="without the right one",
        fix='write a column "options" with all in each row',
        files={
            "quiz.jsonl": lines(
                [
                    {"question": f"Who is {n}?", "distractors": ["a dog", "a cow"], "answer": f"cat {n}"}
                    for n in range(3)
                ]
            )
        },
    ),
    Mistake(
        "Boxes in another order",
        "The boxes are x, y, width, height, as in COCO; the column of areas gives it away.",
        "init boxes.jsonl --out first",
        file="boxes.jsonl",
        place="'area'",
        value="width * height where the boxes in 'bbox' are x, y, width, height",
        fix="write x1, y1, x2, y2 in pixels",
        files={
            "boxes.jsonl": lines(
                [{"question": "Where is it?", "bbox": [n, 2, 20, 30 + n], "area": 20 * (30 + n)} for n in range(3)]
            )
        },
    ),
    Mistake(
        "Marks that count from 0",
        "The question names the first image <image 0>.",
        "init rows.jsonl --out first",
        file="rows.jsonl",
        place="line 1",
        value="'Is <image 0> as <image 1>?' counts images from 0",
        fix="count them from 1",
        files={"rows.jsonl": lines([{"question": "Is <image 0> as <image 1>?", "answer": n} for n in range(3)])},
    ),
)
