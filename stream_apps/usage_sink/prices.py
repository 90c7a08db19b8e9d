"""Every price that Dragoman brings along, in US dollars. They are examples: every deployment sets its own.

Machines: public list prices per hour. Words: per million source words. Volumes: per thousand words that have to be
translated, for whoever sends up to so many words a day.
"""

EXAMPLE_PRICES = {
    "cpu/on_demand": 0.17,
    "cpu/spot": 0.06,
    "cpu/reserved": 0.11,
    "t4/on_demand": 0.526,
    "t4/spot": 0.158,
    "t4/reserved": 0.33,
    "v100/on_demand": 3.06,
    "v100/spot": 0.918,
    "v100/reserved": 1.95,
}
EXAMPLE_WORD_PRICES = {"critical": 30.0, "high": 20.0, "standard": 10.0}
# 0.38 is the price at which 100,000 words a day, 40 % of them remembered, cost 684.00 in 30 days.
EXAMPLE_VOLUME_PRICES = {10_000: 0.45, 100_000: 0.38, 1_000_000: 0.30}
