"""Spans of the kinds that another hand found broken: code without marks, boards, figures. Data."""

import random

Choice = random.Random
_COLUMNS, _TABLES = ("name", "age", "total", "created_at", "u.email"), ("users", "orders", "public.logs")
_TOOLS = ("numpy", "express", "requests", "left-pad")
WORDS = ("Orion", "Nimbus", "Tavares", "Kepler", "Mariana")


def sql(r: Choice) -> str:
    """Return a statement, or a clause of one."""
    column, table, number = r.choice(_COLUMNS), r.choice(_TABLES), r.randint(1, 99)
    condition = r.choice(
        (f"{column} > {number}", f"{column} = 'paid'", f"{column} IS NOT NULL", f"{column} IN (1, 2)")
    )
    return r.choice(
        (
            f"SELECT {column} FROM {table}",
            f"SELECT {column}, id FROM {table} WHERE {condition} ORDER BY {column} DESC",
            f"SELECT COUNT(*) FROM {table} WHERE {condition} AND id < 5 GROUP BY {column}",
            f"select * from {table} where id = {number}",
            f"UPDATE {table} SET status = 'open' WHERE {condition};",
            f"DELETE FROM {table} WHERE {condition}",
            f"INSERT INTO {table} (id, name) VALUES ({number}, 'Rex')",
            f"DROP TABLE IF EXISTS {table}",
            f"CREATE INDEX idx_{number} ON {table} (id);",
        )
    )


def command(r: Choice) -> str:
    """Return what one types into a shell."""
    tool, number = r.choice(_TOOLS), r.randint(2, 99)
    return r.choice(
        (
            f"pip install {tool}=={number}.1",
            f"npm install {tool}",
            f"sudo apt-get install -y {tool} && sudo reboot_{number}",
            f"git rebase -i HEAD~{number}",
            "git push origin main",
            f"docker run --rm -p {number}:80 nginx:1.25",
            f"curl -X POST https://example.org/{tool}/{number}",
            "ls -la | grep cache_dir",
            f"rm -rf build/{tool}",
            f"find . -name '*.tmp' -mtime +{number}",
            f"kubectl get pods -n {tool}",
            f"make install && ./run_{number}.sh",
        )
    )


def trace(r: Choice) -> str:
    """Return a frame of a stack trace, or a call."""
    number = r.randint(2, 99)
    return r.choice(
        (
            f'File "main_{number}.py", line {number}, in <module>',
            f"at com.shop.Cart.open(Cart.java:{number})",
            f"at App.render (src/App.js:{number}:22)",
            f"getUserById({number})",
            f"COALESCE(nickname, {number})",
            f"isActive{number}",
            f"load_all('{number}', true)",
        )
    )


def prefix(r: Choice) -> str:
    """Return what stands before the sentence of a log."""
    clock = f"{r.randint(10, 23)}:{r.randint(10, 59)}:07"
    level = r.choice(("ERROR", "WARN", "INFO"))
    return r.choice(
        (
            f"2024-05-0{r.randint(1, 9)} {clock},817 {level} [worker-3] com.acme.Sync: ",
            f"[2024-05-11 {clock}] {level}: ",
            f"2024-05-11T{clock}Z {level} ",
            f"{clock} [{level}] db.pool: ",
        )
    )


def board(r: Choice) -> str:
    """Return a word in the marks of a bulletin board or a wiki, or in numbered tags."""
    word = r.choice(WORDS)
    return r.choice(
        (
            f"[b]{word}[/b]",
            f"[url=https://example.org/x]{word}[/url]",
            f"[color=red]{word}[/color]",
            f"'''{word}'''",
            f"''{word}''",
            f"<1>{word}</1>",
            f"<0>{word}</0>",
        )
    )


def machine(r: Choice) -> str:
    """Return an address of a machine, a schedule, a type with arguments, or a relation."""
    number, name = r.randint(10, 59), r.choice(("Integer", "Order", "String"))
    return r.choice(
        (
            f"00:1B:44:11:3A:{number}",
            f"fe80::1ff:fe23:{number}67:890a",
            f"{number} 5 * * 1-5",
            f"*/{number} * * * *",
            f"Map<String, List<{name}>>",
            "std::vector<int>",
            f"Optional<{name}>",
            f"x ≥ {number}",
            "x ∈ ℝ",
            "__/__/____",
        )
    )


def reckoning(r: Choice) -> str:
    """Return figures with signs of their own."""
    number = r.randint(2, 40)
    return r.choice(
        (
            f"{number}½",
            f"{number}*{number}*4",
            f"{number} m²",
            f"{r.randint(1, 11)}:{r.randint(10, 59)} PM",
            f"a * {number}",
            f"x = {number}",
            f"%APPDATA%\\Shop\\v{number}",
            f"c**{number}",
        )
    )
