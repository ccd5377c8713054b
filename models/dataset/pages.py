"""Web pages for the recordings: each kind of page is a function of a `Writer`."""

import glob
import html
import random
from dataclasses import dataclass
from typing import Callable

import texts

FAMILIES = {
    "train": ["DejaVu Sans", "Liberation Serif", "Noto Sans", "Roboto", "Open Sans", "Cantarell", "Amiri"],
    "heldout": ["Noto Serif", "Liberation Sans Narrow", "DejaVu Sans Condensed"],
}
ICONS = {"train": "32x32/apps", "heldout": "48x48/places"}


@dataclass
class Writer:
    split: str
    rng: random.Random
    dark: bool
    photos: list[str]

    def prose(self, words: int) -> str:
        return texts.prose(self.split, self.rng, words)

    def paragraph(self, words: int) -> str:
        return f"<p>{self.prose(words)}</p>"

    def photo(self, style: str) -> str:
        return f'<img src="file://{self.rng.choice(self.photos)}" style="{style}">'

    def colour(self) -> str:
        hue, saturation = self.rng.randrange(360), self.rng.randint(30, 95)
        lightness = self.rng.randint(45, 75) if self.dark else self.rng.randint(25, 55)
        return f"hsl({hue},{saturation}%,{lightness}%)"


def article(w: Writer) -> str:
    def part() -> str:
        return f"<h2>{w.prose(5)}</h2>" + w.paragraph(110) + w.paragraph(70)

    picture = w.photo("float:right;width:42%;margin:12px")
    return f"<h1>{w.prose(6)}</h1>{part()}{picture}" + "".join(part() for _ in range(6))


def table(w: Writer) -> str:
    def cell() -> str:
        return f"<td>{w.rng.choice([w.prose(2), str(w.rng.randint(0, 99999)), f'{w.rng.random():.3f}'])}</td>"

    def row(i: int) -> str:
        tint = "#8882" if i % 2 else "none"
        return f'<tr style="background:{tint}">' + "".join(cell() for _ in range(9)) + "</tr>"

    return (
        f'<table style="border-collapse:collapse;width:100%" border=1>{"".join(map(row, range(70)))}</table>'
    )


def chart(w: Writer) -> str:
    def bar(x: int) -> str:
        y = w.rng.randint(20, 100)
        return f'<rect x="{x}" y="{y}" width="16" height="{120 - y}" fill="{w.colour()}"/>'

    points = " ".join(f"{x},{w.rng.randint(10, 110)}" for x in range(0, 260, w.rng.choice([5, 13, 26])))
    pen = f'fill="none" stroke="{w.colour()}" stroke-width="{w.rng.choice([1, 2, 3])}"'
    line = f'<polyline points="{points}" {pen}/>'
    drawn = line if w.rng.random() < 0.5 else "".join(map(bar, range(4, 250, 22)))
    return f"<svg width=260 height=120>{drawn}</svg>"


def dashboard(w: Writer) -> str:
    box = "display:inline-block;margin:8px;padding:12px;width:270px;border-radius:8px;"
    box += "box-shadow:0 2px 6px #0005"

    def card() -> str:
        gradient = f"linear-gradient({w.rng.randrange(360)}deg,{w.colour()},{w.colour()})"
        fill = w.rng.choice(["#8881", gradient])
        title, number = w.prose(3)[:30], w.rng.randint(1, 99999)
        return f'<div style="{box};background:{fill}"><b>{title}</b><h1>{number}</h1>{chart(w)}</div>'

    return "".join(card() for _ in range(16))


def code(w: Writer) -> str:
    tints = [w.colour() for _ in range(5)]

    def word(text: str) -> str:
        return f'<span style="color:{tints[len(text) % 5]}">{html.escape(text)}</span>'

    lines = texts.source_text(w.split, w.rng, 120).splitlines()
    return "<pre>" + "\n".join(" ".join(map(word, line.split(" "))) for line in lines) + "</pre>"


def mail(w: Writer) -> str:
    def entry() -> str:
        who, what = w.prose(4)[:40], w.prose(12)[:90]
        return f'<p style="border-bottom:1px solid #8886"><b>{who}</b><br><small>{what}</small></p>'

    side = "".join(entry() for _ in range(14))
    body = f"<h2>{w.prose(7)}</h2>" + w.paragraph(90) + w.paragraph(160) + w.paragraph(90)
    left = f'<div style="width:320px;padding:10px;background:#8882">{side}</div>'
    return f'<div style="display:flex">{left}<div style="padding:20px;flex:1">{body}</div></div>'


def gallery(w: Writer) -> str:
    icons = sorted(glob.glob(f"/usr/share/icons/Papirus/{ICONS[w.split]}/*.svg"))

    def icon() -> str:
        file, size = w.rng.choice(icons), w.rng.choice([24, 32, 48, 64])
        return f'<img src="file://{file}" style="width:{size}px;margin:6px">'

    return "".join(icon() for _ in range(260))


def photo_page(w: Writer) -> str:
    def figure() -> str:
        style = f"display:inline-block;margin:8px;width:{w.rng.choice([280, 380, 580])}px"
        return (
            f'<figure style="{style}">{w.photo("width:100%")}<figcaption>{w.prose(9)}</figcaption></figure>'
        )

    return "".join(figure() for _ in range(9))


def form(w: Writer) -> str:
    def row() -> str:
        inputs = [
            f'<input value="{w.prose(2)[:20]}">',
            f"<select><option>{w.prose(1)[:12]}</select>",
            f'<input type=range value="{w.rng.randint(0, 100)}">',
            f'<input type=checkbox {w.rng.choice(["checked", ""])}> {w.prose(2)[:24]}',
            f'<progress max=100 value="{w.rng.randint(0, 100)}"></progress>',
            f'<button style="background:{w.colour()};color:#fff;border-radius:4px">{w.prose(1)[:12]}</button>',
        ]
        label = f'<label style="display:inline-block;width:150px">{w.prose(2)[:22]}</label>'
        return f"<p>{label}{''.join(w.rng.sample(inputs, 3))}</p>"

    return f"<h3>{w.prose(4)}</h3>" + "".join(row() for _ in range(26))


def gradients(w: Writer) -> str:
    def box() -> str:
        stops, size = ",".join(w.colour() for _ in range(w.rng.randint(2, 4))), w.rng.choice([120, 200, 320])
        form = w.rng.choice([f"linear-gradient({w.rng.randrange(360)}deg,", "radial-gradient("])
        shape = f"width:{size}px;height:{size * 2 // 3}px;border-radius:{w.rng.choice([0, 8, 60])}px"
        shadow = f"box-shadow:0 {w.rng.randint(1, 9)}px {w.rng.randint(2, 30)}px #0007"
        return (
            f'<div style="display:inline-block;margin:10px;{shape};{shadow};background:{form}{stops})"></div>'
        )

    return "".join(box() for _ in range(34))


def drawing(w: Writer) -> str:
    """Line drawings: curves, polygons, arrows with labels, as vector editors show them."""
    place = lambda: f"{w.rng.randrange(1200)},{w.rng.randrange(1500)}"

    def figure() -> str:
        pen = f'stroke="{w.colour()}" stroke-width="{w.rng.choice([0.5, 1, 1.5, 2, 4])}" fill="none"'
        kind = w.rng.randrange(4)
        if kind == 0:
            return f'<path d="M{place()} C{place()} {place()} {place()}" {pen}/>'
        if kind == 1:
            return f'<polygon points="{place()} {place()} {place()}" {pen}/>'
        x, y = w.rng.randrange(1200), w.rng.randrange(1500)
        if kind == 2:
            return f'<circle cx="{x}" cy="{y}" r="{w.rng.randint(3, 90)}" {pen}/>'
        return f'<text x="{x}" y="{y}" fill="{w.colour()}">{w.prose(3)[:30]}</text>'

    return f"<svg width=1240 height=1500>{''.join(figure() for _ in range(150))}</svg>"


def chat(w: Writer) -> str:
    def line() -> str:
        side = w.rng.choice(["left", "right"])
        bubble = (
            f"display:inline-block;max-width:60%;padding:8px 14px;border-radius:14px;background:{w.colour()}"
        )
        return f'<p style="text-align:{side}"><span style="{bubble};color:#fff">{w.prose(14)}</span></p>'

    return "".join(line() for _ in range(30))


def page(kind: Callable[[Writer], str], w: Writer) -> str:
    if w.dark:
        ink, paper = "#ddd", f"#{w.rng.randint(16, 42):02x}2024"
    else:
        ink, paper = "#222", w.rng.choice(["#fff", "#fafafa", "#f4f1ea"])
    family, size = w.rng.choice(FAMILIES[w.split]), w.rng.choice([12, 13, 14, 15, 16])
    style = f"background:{paper};color:{ink};font:{size}px/1.4 '{family}';margin:{w.rng.randint(6, 60)}px"
    return f'<meta charset=utf-8><body style="{style}">{kind(w)}</body>'
