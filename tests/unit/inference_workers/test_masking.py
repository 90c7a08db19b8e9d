"""What is hidden from an engine."""

import re

import pytest

from inference_workers.engines.bergamot import TRAITS, traits_of
from inference_workers.fidelity.masking import MOST_SPANS, Hiding, Masker
from inference_workers.fidelity.own_spans import own_spans
from inference_workers.settings import WorkerLimits

PLAIN, BERGAMOT = Masker(None), Masker(TRAITS.unseen)
PORTUGUESE = traits_of("ÁÉàáâãçéêíóôõú")
FAMILY, FLAG, KEYCAP = "👩\u200d👩\u200d👧", "🏳\ufe0f\u200d🌈", "1\ufe0f\u20e3"


@pytest.mark.parametrize(
    "piece",
    [
        "https://example.org/a?b=c#d", "https://pt.wikipedia.org/wiki/Ação_(filme)?x=1",
        "www.example.org/index.html",
        "joe.smith@example.com", "joão+a@exämple.co.uk", "mailto:a@b.co", "jdbc:mysql://host/db",
        "docs.python.org/3/x",
        "<b>", "</b>", '<a href="x.html" title="a > b">', "<br/>", "<!-- one\n<b>two</b> -->",
        "<?php echo $x; ?>",
        "<%= @user.first_name %>", "[% name %]", "&nbsp;", "&#8212;", "&#x1F600;",
        "`git commit`", "``a b``", ":ref:`setup`", ":py:func:`x.y`", "```x = 1\ny```", "`text <https://x.org>`_",
        "[^1]", "[1]_", "[12, 14–16]", "[@doe99]", "[[name]]", "[[ Page|label ]]",
        "{name}", "{}", "{0}", "{x!r:>10.2f}", "{ name }", "{{count}}", "{{ user.name | upper }}", "{{{raw}}}",
        "${HOME_DIR}",
        "#{name}", "%{name}", "{% trans %}", "{# note #}", "{!! $x !!}", "{count, number}",
        "{when, date, short}",
        "{n, plural, one {# file} other {{n, number} files}}", "{1, 2}",
        "%s", "%d", "%(user)s", "%1$s", "%5.2f", "%ld", "%@", "%1$@", "%-10s", "%%", "%dpx", "%<n>05d",
        "%NAME%", "%Y-%m-%d", "%1",
        "$t(key)", '$t(key, {"n": (1)})', "@:message.key", "@.lower:key", "@:{'a.b'}", "$name", ":folder",
        ":smile:", "@john", "#MeToo",
        "/usr/share/doc", "~/notes.txt", "C:\\Users\\joe", "\\\\server\\share", "src/app/main.py", "\\n",
        "9f86d081884c7d659a2feaa0c55ad015", "a1b2c3d", "nginx:1.25-alpine",
        "C:\\Program Files (x86)\\a\\b.ini", "$x_i \\in A^n$", "UTC+1", "GMT−03:30",
        "\\u00e9", "\\mathbf{x}",
        "os.path.join()", "__init__", "snake_case", "MAX_SIZE", "obj.attr.name", "std::vector",
        "[b]", "[/url]", "[url=https://x.org]", "<0>", "</12>", "%APPDATA%\\Code\\a.json",
        "getUserById(42)", "COALESCE(a, 'b')", "isActive", "File \"a.py\", line 7, in <module>",
        "at com.foo.Bar.baz(Bar.java:42)", "a<b and c>d", "a * b", "x = 5", "c**2", "2*3*4", "1½", "2 ½", "35 m²",
        "9:14 PM", "5 p.m.", "getElementById", "README.md", "Relatório.pdf",
        ".gitignore", "--force", "--name=x.y", "-f",
        "€5", "£3.20", "¥ 100", "5 €", "R$ 5,00", "US$3", "$1.5 bn", "-€1,234.50", "USD 20", "20 EUR", "₹99",
        "2025-01-31", "2025-01-31T08:30:00Z", "31/12/2025", "1.12.2025", "v2.1", "1.2.3-rc.1", "10.0.0.1",
        "+55 (11) 99999-0000",
        "10 KBps", "2.4 GHz", "20 °C", "5µs", "80 km/h", "0xff", "123e4567-e89b-12d3-a456-426614174000",
        "00:1B:44:11:3A:B7", "fe80::1ff:fe23:4567:890a", "0 5 * * 1-5", "*/5 * * * *",
        "<abbr title='x'>WHO</abbr>", "Map<String, List<Integer>>", "Optional<T>",
        "std::vector<int>", "x ∈ ℝ", "x² ≥ 0", "__/__/____", '"java.io.IOException: no such file"',
        "Ca2+", "H2O", "pH", "C++", "C#", "x^2", "1e-9", "MP3", "COVID-19", "SKU-12345", "4K",
        FAMILY, FLAG, KEYCAP, "🇧🇷", "👍🏿", "❤\ufe0f", ":)", "\u200b", "\x00", "\ufeff", "QZ0", "qz 12",
        '{"id": 42, "on": true}', '{"a": {"b": [1, "x"]}}', "<<if $gold >= 10>>", "<<endif>>", "<<$name>>",
        "6(1)(f)", "12a(2)(iv)", "1 + 2 + … + n", "|a·b| ≤ |a|·|b|", "20 k€", "Ø 6.5 ±0.1", "M8×1.25", "3 × 5 × 2",
        "24–70mm", "1.5–2.5", '“"def"”', '"..."', '"(...)"', '""def""', "make test.",
    ],
)  # fmt: skip
def test_what_must_not_change_is_set_aside_whole(piece):
    parts = PLAIN.take_apart(f"Please open {piece} now.")
    assert parts.hidden == (piece,)
    assert parts.plain == ("Please open ", " now.")


@pytest.mark.parametrize(
    "text",
    [
        "50% of it and 100 % sure", "He said: no.", "3 < 4 and 5 > 2", "and/or testing", "a / b",
        "e.g. this, i.e. that", "“Ele disse: não!” (e foi-se; às 5 horas).", "It is 10:30 in 2025.",
        "a - b, a – b", "In the 1990s the 2nd of 3",
        "It''s a select few from us", "SELECT FROM LIST", "DELETE FROM CART", "Where and when, order by phone.",
        "go and find out", "the git repository", "make sure that cats sleep", "python tests",
        "We find a way, then we kill time", "NASA and I", "f*ck",
        "at 10:30 in 2024", "a list of 1, 2, 3, 4 and 5", "an Error: it failed",
        "wait ...and see", "5 * 3 * 2", "file(s)", "diga-me já", "A\nB\tC", "",
    ],
)  # fmt: skip
def test_ordinary_text_is_left_to_the_engine(text):
    assert PLAIN.take_apart(text).hidden == ()


@pytest.mark.parametrize(
    ("text", "plain", "hidden"),
    [
        ("Press **Save** now", ("Press ", "Save", " now"), ("**", "**")),
        ("Press _Save it_ now", ("Press ", "Save it", " now"), ("_", "_")),
        ("Read the [terms of use](https://x.org/t) now", ("Read the ", "terms of use", " now"), ("[", "](https://x.org/t)")),
        ("See ![a cat](cat.png) here", ("See ", "a cat", " here"), ("![", "](cat.png)")),
        ("A ~~**very** old~~ one", ("A ", "very", " old", " one"), ("~~**", "**", "~~")),
        ("Use [`git`](x) now", ("Use ", " now"), ("[`git`](x)",)),
    ],
)  # fmt: skip
def test_what_is_inside_marks_is_translated(text, plain, hidden):
    parts = PLAIN.take_apart(text)
    assert (parts.plain, parts.hidden) == (plain, hidden)


@pytest.mark.parametrize(
    ("text", "plain", "hidden", "emphasis"),
    [
        ("Press **Save** now", ("Press **Save** now",), (), ("**",)),
        ("A *b* and *{c} d* now", ("A *b* and *", " d* now"), ("{c}",), ("*", "*")),
        ("Press _Save_ now", ("Press ", "Save", " now"), ("_", "_"), ()),
        ("**All of it.**", ("", "All of it.", ""), ("**", "**"), ()),
        ("The *__slots__* now", ("The ", " now"), ("*__slots__*",), ()),
    ],
)  # fmt: skip
def test_asterisks_around_words_are_left_to_the_engine_at_first(text, plain, hidden, emphasis):
    parts = PLAIN.take_apart(text, hiding=Hiding.FEW)
    assert (parts.plain, parts.hidden, parts.emphasis) == (plain, hidden, emphasis)


@pytest.mark.parametrize(
    "mark",
    ["- ", "* ", "## ", "> ", "1. ", "12) ", "- [ ] ", "> > ", ".. note:: ",
     "Subject: ", "Re: ", "Subject: Re: ", "JOHN: ", ">> MARY ANN: ",
     "Dr. Smith: ", "🙂 ", "<p>", "\u200b", "→ "],
)  # fmt: skip
def test_what_begins_a_line_is_no_part_of_its_sentence(mark):
    parts = PLAIN.take_apart(f"{mark}the house is big")
    assert (parts.plain[-1].strip(), parts.edges) == ("the house is big", (1, 0))


@pytest.mark.parametrize("label", ["WARNING: ", "NOTE: ", "Note: ", "Attention please: "])
def test_labels_are_translated(label):
    assert PLAIN.take_apart(f"{label}the house is big").hidden == ()


def test_a_label_hides_nothing_of_what_follows():
    assert PLAIN.take_apart("WARNING: see {name} now").hidden == ("{name}",)


def test_quotes_around_tags_are_set_aside_with_them():
    assert PLAIN.take_apart("'<x id=\"%1$@\">Gold</x>'").edges == (1, 1)
    assert PLAIN.take_apart('"<b>Gold</b> is here"').edges == (0, 0)


@pytest.mark.parametrize("sign", ["©", "→", "🙂", "日本", "§", "×", "±", "‰", "¿"])
def test_signs_that_the_model_cannot_see_are_set_aside_for_that_model(sign):
    assert BERGAMOT.take_apart(f"The sign {sign} here").hidden == (sign,)


@pytest.mark.parametrize("name", ["Müller", "Łódź", "Jean-Noël", "Şahin", "Ærø", "O’Ëtienne", "Dvořák", "Đorđe"])
def test_a_name_with_a_letter_that_the_model_does_not_know_is_set_aside_whole(name):
    parts = Masker(PORTUGUESE.unseen, PORTUGUESE.spellings).take_apart(f"We met {name}'s brother, São Paulo")
    assert parts.hidden == (name,)


def test_a_script_that_the_model_can_see_is_left_to_it():
    assert PLAIN.take_apart("The sign 日本 here").hidden == ()


def test_a_full_stop_behind_an_address_belongs_to_the_sentence():
    assert PLAIN.take_apart("See https://example.org/x.").plain == ("See ", ".")
    assert PLAIN.take_apart("看 https://example.org/x。好").plain == ("看 ", "。好")


@pytest.mark.parametrize(
    "piece", ["<b><i>{name}</i></b>", f"{FAMILY} {FLAG}", "{a} {b}", "%s%%", "https://x.org/{id}/"]
)
def test_neighbours_are_set_aside_as_one(piece):
    assert PLAIN.take_apart(f"Say {piece} twice").hidden == (piece,)


def test_figures_are_hidden_where_it_is_asked():
    text = "In 2025 there were 1,234.5 of 3 kinds."
    assert PLAIN.take_apart(text).hidden == ()
    assert PLAIN.take_apart(text, hiding=Hiding.FIGURES).hidden == ("2025", "1,234.5", "3")


def test_terms_stay_where_they_are_whole_words():
    own = own_spans(["Gold", "Gold Plus", "C/C"], {})
    assert PLAIN.take_apart("Gold Plus, Golden or Gold by C/C", own).hidden == ("Gold Plus", "Gold", "C/C")


def test_a_pattern_of_the_caller_comes_before_ours():
    own = own_spans([], {"placeholder_pattern": r"<<[a-z ]+>>"})
    assert PLAIN.take_apart("Open <<the big house>> and {name}", own).hidden == ("<<the big house>>", "{name}")


def test_a_text_of_masks_alone_has_no_words():
    assert not PLAIN.take_apart("{a} - https://example.org 42").has_words


def test_a_text_with_too_many_spans_is_known():
    assert PLAIN.take_apart("{a} x " * (MOST_SPANS + 1)).is_crowded
    assert not PLAIN.take_apart("{a} x " * MOST_SPANS).is_crowded
    assert WorkerLimits().max_spans == MOST_SPANS


def test_how_many_spans_are_too_many_is_configured():
    masker = Masker(None, most_spans=200)
    assert masker.take_apart("{a} x " * 201).is_crowded
    assert len(masker.take_apart("{a} x " * 200).hidden) == 200


@pytest.mark.parametrize(
    ("text", "shouted"),
    [
        ("DO NOT ENTER {x}", True),
        ("DO NOT {x} ENTER a", True),
        ("NATO is big", False),
        ("DO NOT {x} enter", False),
        ("STOP", True),
        ("NO", True),
        ("AI", False),
        ("家 は 大きい", False),
    ],
)
def test_a_text_in_capitals_is_recognised(text, shouted):
    assert PLAIN.take_apart(text).is_shouted is shouted


@pytest.mark.parametrize(
    ("text", "is_one"), [("AI", True), ("AI!", True), ("NO", False), ("AI IS", False), ("Ai", False)]
)
def test_two_capitals_alone_are_an_acronym(text, is_one):
    assert PLAIN.take_apart(text).is_acronym is is_one


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT name, age FROM users WHERE age > 30 ORDER BY name",
        "SELECT COUNT(*) FROM orders o JOIN customers c ON o.customer_id = c.id GROUP BY c.country",
        "UPDATE orders SET status = 'paid', total = total - 1 WHERE id = 17;",
        "DELETE FROM logs", "DELETE FROM logs WHERE at < now() AND level IN ('debug')",
        "INSERT INTO pets (name, age) VALUES ('Rex', 3), ('Tom', 5)",
        "DROP TABLE IF EXISTS invoices CASCADE", "CREATE INDEX idx_email ON users (email, created_at);",
        "ALTER TABLE staff ADD COLUMN hired DATE", "select * from products where price > 100",
    ],
)  # fmt: skip
def test_sql_in_prose_ends_where_its_grammar_does(statement):
    assert PLAIN.take_apart(f"The query {statement} returns nothing at all.").hidden == (statement,)


@pytest.mark.parametrize(
    "command",
    [
        "sudo apt-get install -y python3-dev && pip install -r requirements.txt", "git rebase -i HEAD~3",
        "npm install express", "pip install numpy==1.26.4", "rm -rf node_modules/ && npm ci",
        "find . -name '*.tmp' -mtime +7", "docker run --rm -it ubuntu:22.04 bash", "kubectl get pods -n staging",
        "git push origin main", "sudo systemctl restart nginx", "cd ~/projects/shop", "make install",
        "curl -X POST -d '{\"a\":1}' https://api.example.com/v1/items", "Get-ChildItem -Recurse",
    ],
)  # fmt: skip
def test_a_command_in_prose_ends_before_the_prose(command):
    assert PLAIN.take_apart(f"Then {command} and the rest fails.").hidden == (command,)


@pytest.mark.parametrize("follows", ["fails with an error", "is slow", "takes hours", "and nothing else"])
def test_the_words_behind_a_command_are_prose(follows):
    assert PLAIN.take_apart(f"Often npm install {follows}.").hidden == ("npm install",)


@pytest.mark.parametrize(
    "prefix",
    [
        "2024-05-01 12:03:44,817 ERROR [worker-3] com.acme.Sync: ", "12:00:01 [WARN] db.pool: ",
        "[2024-05-11 10:00:07] INFO: ", "2024-05-11T10:00:07Z WARNING ", "[b]", "<1>", "''",
    ],
)  # fmt: skip
def test_what_stands_before_a_sentence_of_a_log_is_none_of_it(prefix):
    parts = PLAIN.take_apart(f"{prefix}the house is big")
    assert (parts.plain[-1].strip(), parts.edges) == ("the house is big", (1, 0))


@pytest.mark.parametrize("header", ["From: Anna Weber <anna@x.org>", "To: Anna <a@x.org>; Bob <b@x.org>; Eve"])
def test_people_in_the_headers_of_an_e_mail_stay(header):
    assert PLAIN.take_apart(header).hidden == (header,)


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("soft\u00adware", ()), ("می\u200cخواهد", ()), ("क्\u200dष", ()),
        ("a \u00ad b", ("\u00ad",)), ("a\u200db", ("\u200d",)), ("a\u200bb", ("\u200b",)),
    ],
)  # fmt: skip
def test_soft_hyphens_and_joiners_inside_a_word_go_with_it(text, hidden):
    assert PLAIN.take_apart(text).hidden == hidden


def test_asterisks_that_surround_nothing_are_no_emphasis():
    assert PLAIN.take_apart("*** Important *** now").hidden == ("***", "***")


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("feat(api)!: drop support for it", "drop support for it"),
        ('greeting: "Hello, you!"', "Hello, you!"),
        ("farewell: 'See you soon',", "See you soon"),
        ('"title": "Hello world",', "Hello world"),
        ("\\section{The first steps}", "The first steps"),
    ],
)
def test_what_is_around_the_words_of_a_notation_is_set_aside_and_the_words_are_translated(text, plain):
    parts = BERGAMOT.take_apart(text)
    assert "".join(parts.plain).strip() == plain
    assert parts.whole == text


@pytest.mark.parametrize(
    "text",
    [
        'He said: "Hello, you!"', 'They said "yes.","no" and left.', "I know what you make, test it.",
        "Make test calls.", "We make test calls.", "Fix: the door", "copies 3(three) of it", "5 of 10",
    ],
)  # fmt: skip
def test_prose_that_looks_like_a_notation_is_translated(text):
    assert "".join(re.findall("[A-Za-z]+", "".join(PLAIN.take_apart(text).plain))) == "".join(
        re.findall("[A-Za-z]+", text)
    )
