"""Which comparisons the demo makes, from who is the same person as whom."""
import json
import os
from itertools import combinations

from rig import pictures


def load():
    with open(os.path.join(os.path.dirname(__file__), "people.json")) as file:
        return json.load(file)["same_person"]


class Trials:
    """Each person of a group is a subject, registered with the group's first picture."""

    def __init__(self):
        self.groups = load()
        everybody = pictures.all_portraits()
        missing = {name for group in self.groups for name in group} - set(everybody)
        if missing:
            raise SystemExit(f"demo: portraits are missing ({', '.join(sorted(missing))}): run make setup")
        self.subjects = {f"person-{number}": group for number, group in enumerate(self.groups, 1)}
        # A registered picture against a later one is a verification; two later ones are compared with each other,
        # as a live face with an ID photo.
        self.verifications = [(subject, later) for subject, group in self.subjects.items() for later in group[1:]]
        self.comparisons = [pair for group in self.groups for pair in combinations(group[1:], 2)]
        self.impostors = [(subject, stranger) for subject, group in self.subjects.items()
                          for stranger in everybody if stranger not in group]

    @property
    def genuine(self):
        return len(self.verifications) + len(self.comparisons)
