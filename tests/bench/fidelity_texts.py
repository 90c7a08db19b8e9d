"""The strings of `make bench-fidelity`: spans of twenty-eight kinds in sentences whose translation is known.

The sentences were written for this, in both languages; each has one place for a span. The catalogues of Django
(BSD), which people translated, are the plain prose and the placeholders as they come in life.
"""

import gettext
import random
import re
from collections.abc import Callable, Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from tests.bench import code_texts

# English and Portuguese; {} is the place.
CARRIERS = (
    ("Please open {} before you leave the house.", "Por favor, abra {} antes de sair de casa."),
    ("We sent {} to your new address yesterday.", "Enviamos {} para o seu novo endereço ontem."),
    ("The report says that {} was not found.", "O relatório diz que {} não foi encontrado."),
    ("You can change {} at any time in the settings.", "Você pode mudar {} a qualquer momento nas configurações."),
    ("My sister showed me {} when we had lunch.", "Minha irmã me mostrou {} quando almoçamos."),
    ("Nobody knows why {} is still missing.", "Ninguém sabe por que {} ainda está faltando."),
    ("If you need help, write {} in the first line.", "Se precisar de ajuda, escreva {} na primeira linha."),
    ("The teacher wrote {} on the board.", "O professor escreveu {} no quadro."),
    ("Do not share {} with other people.", "Não compartilhe {} com outras pessoas."),
    ("After lunch we talked about {} for a long time.", "Depois do almoço, falamos sobre {} por muito tempo."),
    ("They replaced {} because it was too old.", "Eles substituíram {} porque era muito antigo."),
    ("This page explains how {} works.", "Esta página explica como {} funciona."),
    ("Check that {} is correct, and try again.", "Verifique se {} está correto e tente novamente."),
    ("The children asked their father for {} again.", "As crianças pediram {} ao pai de novo."),
    ("I forgot {} on the kitchen table.", "Esqueci {} na mesa da cozinha."),
    ("Without {} the project would have failed.", "Sem {} o projeto teria fracassado."),
    ("Our customers like {} more than ever.", "Nossos clientes gostam de {} mais do que nunca."),
    ("The doctor explained {} to the patient.", "O médico explicou {} ao paciente."),
    ("She read {} twice and laughed.", "Ela leu {} duas vezes e riu."),
    ("Everything after {} will be deleted.", "Tudo depois de {} será excluído."),
    ("The new version of {} is much faster.", "A nova versão de {} é muito mais rápida."),
    ("Have you ever heard of {} before?", "Você já ouviu falar de {} antes?"),
    ("We need {} to finish the work this week.", "Precisamos de {} para terminar o trabalho esta semana."),
    ("He put {} in his pocket and went home.", "Ele colocou {} no bolso e foi para casa."),
    ("The message contains {} and nothing else.", "A mensagem contém {} e nada mais."),
    ("Replace {} with your own name.", "Substitua {} pelo seu próprio nome."),
    ("Yesterday {} was the first on the list.", "Ontem {} foi o primeiro da lista."),
    ("Thank you for {} and for your patience.", "Obrigado por {} e pela sua paciência."),
    ("I think {} is the best choice for us.", "Acho que {} é a melhor escolha para nós."),
    ("The old bridge near {} was closed last year.", "A velha ponte perto de {} foi fechada no ano passado."),
    ("If {} does not appear, restart the program.", "Se {} não aparecer, reinicie o programa."),
    ("They found {} under the bed.", "Eles encontraram {} debaixo da cama."),
    ("Our team uses {} every day.", "Nossa equipe usa {} todos os dias."),
    ("This year {} will be more expensive than last year.", "Este ano {} será mais caro do que no ano passado."),
    ("The students compared {} with the old results.", "Os alunos compararam {} com os resultados antigos."),
    ("Only the owner can remove {} from the page.", "Somente o proprietário pode remover {} da página."),
    ("It took us three hours to repair {} in the rain.", "Levamos três horas para consertar {} na chuva."),
    ("Before you start, read {} carefully.", "Antes de começar, leia {} com atenção."),
    ("The answer to your question is {} today.", "A resposta à sua pergunta é {} hoje."),
    ("There is no room for {} in the car.", "Não há espaço para {} no carro."),
)  # fmt: skip
_NAMES = ("name", "count", "user_name", "folder", "total", "first_name", "item", "date", "error")
_WORDS = code_texts.WORDS
_FLAGS = ("🇧🇷", "🇵🇹", "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f")
_FAMILIES = (
    "👩\u200d👩\u200d👧",
    "🏳\ufe0f\u200d🌈",
    "👨🏽\u200d🚀",
    "👍🏿",
    "❤\ufe0f",
    "1\ufe0f\u20e3",
    "🧑\u200d🤝\u200d🧑",
)


class Sample(NamedTuple):
    """A text, the span in it (empty in plain prose), and the translation of all the rest.

    `marks` are the parts of the span that must not change: a word inside them is translated.
    """

    text: str
    span: str
    reference: str
    marks: tuple[str, ...] = ()


Choice = random.Random


def _amount(r: Choice) -> str:
    sign = r.choice("€£¥$₹₩₽")
    number = r.choice(
        (
            str(r.randint(1, 999)),
            f"{r.randint(1, 99)}.{r.randint(10, 99)}",
            f"{r.randint(1, 9)},{r.randint(100, 999)}",
        )
    )
    return r.choice((f"{sign}{number}", f"{number} {sign}", f"US${number}", f"{number} EUR"))


def _date(r: Choice) -> str:
    day, month, year = r.randint(10, 28), r.randint(10, 12), r.randint(1990, 2030)
    return r.choice(
        (
            f"{year}-{month}-{day}",
            f"{day}/{month}/{year}",
            f"{year}-{month}-{day}T08:30:00Z",
            f"{r.randint(2, 9)}.{r.randint(10, 99)}%",
            f"{r.randint(10, 12)}:{r.randint(10, 59)}",
        )
    )


def _measure(r: Choice) -> str:
    number = r.randint(2, 900)
    return r.choice(
        (
            f"{number} KBps",
            f"{number} MHz",
            f"{number} °C",
            f"{number}µs",
            "Ca2+",
            "pH",
            "H2O",
            "CO2",
            f"{number} km/h",
            "x^2",
        )
    )


def _code(r: Choice) -> str:
    number = r.randint(100, 99999)
    return r.choice(
        (
            f"SKU-{number}",
            f"AB{number}",
            f"#{number}",
            f"0x{number:x}",
            f"ISO-{number}",
            f"#{number:06x}",
            "C++",
            f"RFC{number}",
        )
    )


def _emoji(r: Choice) -> str:
    return " ".join(r.sample((*_FAMILIES, *_FLAGS), r.randint(1, 2)))


def _control(r: Choice) -> str:
    sign = r.choice(("\u200b", "\u200e", "\u2060", "\ufeff", "\u00ad", "\x00", "\x07", "\u202e", "\u200d"))
    return f"{sign}"


def _printf(r: Choice) -> str:
    return r.choice(
        ("%s", "%d", "%1$s", "%2$d", "%5.2f", "%ld", "%@", "%1$@", "%-10s", "%05d", "%lld", "%%", "%zu")
    )


def _python(r: Choice) -> str:
    name = r.choice(_NAMES)
    return r.choice(
        (
            f"%({name})s",
            f"%({name})d",
            f"{{{name}}}",
            "{}",
            "{0}",
            f"{{{name}:>10}}",
            f"{{{name}!r}}",
            f"{{{name}.size}}",
            "{:.2f}",
        )
    )


def _icu(r: Choice) -> str:
    name = r.choice(_NAMES)
    return r.choice(
        (
            f"{{{name}}}",
            f"{{{name}, number}}",
            f"{{{name}, date, short}}",
            f"{{{name}, number, ::currency/EUR}}",
            f"{{{name}, time}}",
        )
    )


def _i18next(r: Choice) -> str:
    name = r.choice(_NAMES)
    return r.choice(
        (
            f"{{{{{name}}}}}",
            f"{{{{- {name}}}}}",
            f"{{{{{name}, uppercase}}}}",
            f"$t({name})",
            f'$t({name}, {{"count": 1}})',
        )
    )


def _ruby(r: Choice) -> str:
    name = r.choice(_NAMES)
    return r.choice((f":{name}", f"%{{{name}}}", f"%<{name}>s", f"#{{{name}}}", f":{name.capitalize()}"))


def _template(r: Choice) -> str:
    name = r.choice(_NAMES)
    return r.choice(
        (
            f"<%= @user.{name} %>",
            f"{{% {name} %}}",
            f"{{{{ user.{name}|title }}}}",
            f"<?php echo ${name}; ?>",
            f"{{!! ${name} !!}}",
            f"${name}",
        )
    )


def _vue(r: Choice) -> str:
    name = r.choice(_NAMES)
    return r.choice(
        (
            f"@:{name}",
            f"@.lower:{name}",
            f"{{{{ {name} }}}}",
            f"{{{{ {name} | currency }}}}",
            f"{{{{'{name}' | translate}}}}",
            f"${{{name}}}",
        )
    )


def _brackets(r: Choice) -> str:
    name = r.choice(_NAMES)
    return r.choice((f"[[{name}]]", f"[[ {name} ]]", f"{{{{{{{name}}}}}}}", f"[% {name} %]", f"%{name}%"))


def _markdown(r: Choice) -> str:
    word = r.choice(_WORDS)
    return r.choice(
        (
            f"**{word}**",
            f"*{word}*",
            f"`{word.lower()} --all`",
            f"[{word}](https://example.org/{word})",
            f"~~{word}~~",
            f"![{word}](a.png)",
            "[^1]",
        )
    )


def _rest(r: Choice) -> str:
    word = r.choice(_WORDS)
    return r.choice(
        (
            f":ref:`{word}`",
            f"``{word}.run()``",
            f"|{word.lower()}|",
            "[1]_",
            f"`{word} <https://example.org>`_",
            f":py:func:`{word.lower()}.open`",
        )
    )


def _html(r: Choice) -> str:
    word = r.choice(_WORDS)
    return r.choice(
        (
            f"<b>{word}</b>",
            f'<a href="/x?a=1&b=2">{word}</a>',
            f'<x id="%1$@">{word}</x>',
            "&nbsp;",
            "&#8212;",
            f"<em class='a'>{word}</em>",
            "<br/>",
            f"<!-- {word} -->",
        )
    )


def _address(r: Choice) -> str:
    word = r.choice(_WORDS).lower()
    return r.choice(
        (
            f"https://example.org/{word}?a=1&b=2#c",
            f"www.{word}.com/a/b",
            f"{word}.silva@example.co.uk",
            f"ftp://{word}.org/a_b",
            f"@{word}",
            f"#{word}",
        )
    )


def _file(r: Choice) -> str:
    word, number = r.choice(_WORDS), r.randint(1, 20)
    return r.choice(
        (
            f"{word}.pdf",
            f"/usr/share/{word.lower()}",
            f"C:\\Users\\{word}\\a.txt",
            f"v{number}.4.1",
            f"{number}.0.12-rc.1",
            "README.md",
            f"--{word.lower()}=yes",
            f"{word.lower()}_{number}",
            "os.path.join()",
        )
    )


def _prefix(r: Choice) -> str:
    return r.choice(
        (
            "Subject: ",
            "From: ",
            "Re: ",
            "JOHN: ",
            ">> MARY: ",
            "Dr. Smith: ",
            "- ",
            "## ",
            "1. ",
            "> ",
            "- [ ] ",
            "* ",
        )
    )


def _name(r: Choice) -> str:
    return r.choice(
        ("Müller", "Björk", "Łukasz", "Dvořák", "Jean-Noël", "Şahin", "Søren", "Erdős", "Škoda", "Þór")
    )


KINDS: dict[str, Callable[[Choice], str]] = {
    "amounts": _amount, "dates, figures": _date, "units, formulas": _measure, "codes": _code, "emoji": _emoji,
    "control characters": _control, "printf": _printf, "Python": _python, "ICU": _icu, "i18next": _i18next,
    "Ruby, Laravel": _ruby, "ERB, Django, PHP": _template, "Vue, Angular": _vue, "brackets": _brackets,
    "Markdown": _markdown, "reST": _rest, "HTML": _html, "addresses": _address, "files, versions": _file,
    "headers, speakers": _prefix, "foreign names": _name, "SQL": code_texts.sql, "commands": code_texts.command,
    "traces, calls": code_texts.trace, "logs": code_texts.prefix, "boards, wikis": code_texts.board,
    "reckoning": code_texts.reckoning, "machines, types": code_texts.machine,
}  # fmt: skip

# What stands before the sentence, and what stands around a word of it.
BEFORE = frozenset(("headers, speakers", "logs"))
AROUND = frozenset(("Markdown", "reST", "HTML", "boards, wikis"))


def generated(pair: tuple[str, str], each: int, seed: int = 1) -> dict[str, list[Sample]]:
    """Return so many samples of each kind."""
    r = random.Random(seed)
    return {
        kind: [_sample(make(r), r.choice(CARRIERS), pair, kind) for _ in range(each)]
        for kind, make in KINDS.items()
    }


def catalogue(pair: tuple[str, str]) -> list[tuple[str, str]]:
    """Return the entries of Django's catalogues for English and Brazilian Portuguese, in the order of the pair."""
    entries = sorted({entry for file in _catalogues() for entry in _entries(file)})
    return entries if pair == ("en", "pt") else [(other, one) for one, other in entries]


def _sample(span: str, carrier: tuple[str, str], pair: tuple[str, str], kind: str) -> Sample:
    source, reference = carrier if pair == ("en", "pt") else carrier[::-1]
    if kind in BEFORE:
        return Sample(span + source.format("Orion"), span, reference.format("Orion"), (span,))
    marks = re.split("|".join(_WORDS), span) if kind in AROUND else [span]
    return Sample(source.format(span), span, reference.format(""), tuple(filter(None, marks)))


def _catalogues() -> Iterator[Path]:
    spec = find_spec("django")
    assert spec is not None
    assert spec.origin is not None
    yield from Path(spec.origin).parent.glob("**/pt_BR/LC_MESSAGES/*.mo")


@cache
def _entries(file: Path) -> tuple[tuple[str, str], ...]:
    with file.open("rb") as opened:
        # The library offers no public way to list a catalogue.
        known = gettext.GNUTranslations(opened)._catalog  # type: ignore[attr-defined]  # private
    return tuple(
        (source.partition("\x04")[2] or source, target)
        for source, target in known.items()
        if isinstance(source, str) and source and "\n" not in source + target and re.search("[A-Za-z]", source)
    )
