# SPDX-License-Identifier: Apache-2.0
"""The tables of COST: printed, read back and compared.

Not run by itself: count.py and traced.py fill tables,

    table.py --compare KEPT NEW        says where the tables in NEW differ from those in KEPT
"""
import re
import sys

# key, title, width; what the columns of a group have above them.
SIMULATED = (("client", "client", 9), ("engine", "engine", 10), ("workers", "workers", 10),
             ("processes", "processes", 10), ("netlink", "netlink", 10), ("nl_bytes", "bytes", 10),
             ("records", "records", 10), ("journal_bytes", "bytes", 10), ("syncs", "syncs", 10))
REAL = (("client", "client", 8), ("engine", "engine", 8), ("workers", "workers", 8),
        ("processes", "forks", 7), ("netlink", "netlink", 9), ("nl_bytes", "bytes", 7),
        ("setlinks", "SETLINK", 9), ("lists", "lists", 7), ("rebinds", "rebinds", 9),
        ("records", "records", 9), ("journal_bytes", "bytes", 7), ("syncs", "syncs", 7))
GROUPS = (("client", "workers", "system calls of"), ("netlink", "nl_bytes", "messages of"),
          ("records", "journal_bytes", "journal"))

# These differ by chance, or with the times in records; the loop's by what it wakes up for.
# Everything else is the same for every run of the same program.
SLACK = {"client": lambda was: 2, "workers": lambda was: 4,
         "journal_bytes": lambda was: 100 + was // 10}
LOOP_SLACK = {len(SIMULATED): lambda was: 15 + was // 10,
              # Events of links and devices come one by one, or together.
              len(REAL): lambda was: 30 + was // 3}


def show(title, columns, found):
    """found: a row (a dict) for each call, by its name."""
    keys = [key for key, _, _ in columns]
    width = max(len(name) for name in found) + 2
    above = ""
    for first, last, words in GROUPS:
        end = sum(w for _, _, w in columns[:keys.index(last) + 1])
        above = above.ljust(end - len(words)) + words
    print(title)
    print(" " * width + above)
    print("call".ljust(width) + "".join(t.rjust(w) for _, t, w in columns))
    for name, row in found.items():
        print(name.ljust(width) + "".join(str(row[k]).rjust(w) for k, _, w in columns))


def hundreds(n):
    return (n + 99) // 100 * 100


def read(path):
    """The rows of each table, by title: a line that stands above "system calls of"."""
    tables, rows, last = {}, None, ""
    with open(path) as lines:
        for line in lines:
            match = re.match(r"^((?:ADD|DEL) .*?)((?:\s+\d+)+)$", line)
            if line.strip().startswith("system calls of"):
                rows = tables.setdefault(last.strip(), {})
            elif match and rows is not None:
                numbers = match.group(2).split()
                columns = SIMULATED if len(numbers) == len(SIMULATED) else REAL
                rows[match.group(1)] = {c[0]: int(n) for c, n in zip(columns, numbers)}
            last = line
    return tables


def compare(kept_path, new_path):
    kept, new = read(kept_path), read(new_path)
    if not new:
        print("nothing was counted")
    for title, rows in new.items():
        was_rows = kept.get(title, {})
        if was_rows.keys() != rows.keys():
            print(f"{title}: the rows are not the same: {sorted(was_rows.keys() ^ rows.keys())}")
        for name in rows.keys() & was_rows.keys():
            for column, now in rows[name].items():
                slack = SLACK.get(column, lambda was: 0)
                if column == "engine":
                    slack = LOOP_SLACK[len(rows[name])]
                was = was_rows[name].get(column, -1)
                if abs(was - now) > slack(was):
                    print(f"{name}: {column} was {was}, is {now}")


if __name__ == "__main__":
    if len(sys.argv) != 4 or sys.argv[1] != "--compare":
        sys.exit(__doc__)
    compare(sys.argv[2], sys.argv[3])
