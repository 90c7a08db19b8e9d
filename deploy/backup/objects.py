"""The object store: every text under its name, from any URL to any other."""

from connectors.objects.files import Files
from deploy.backup.archive import Backup, Draft
from deploy.backup.parts import PartFacts, OnPartProgress


class ObjectsPart:
    """Objects are named by their request and never change, so one that is there is kept."""

    name = "objects"

    def __init__(self, files: Files) -> None:
        self._files = files

    def save(self, draft: Draft, on_progress: OnPartProgress) -> PartFacts:
        count = size = 0
        for found in self._files.all():
            size += draft.add(self.name, found.name, self._files.read(found.name), lambda: 1).size
            count += 1
            on_progress(self.name, count, None)
        return {"objects": count, "bytes": size}

    def restore(self, backup: Backup, replace: bool, on_progress: OnPartProgress) -> PartFacts:
        total = int(backup.manifest.parts[self.name]["objects"])
        written = kept = 0
        for entry in backup.entries(self.name):
            name = entry.name.removeprefix(f"{self.name}/")
            if not replace and self._files.size(name) == entry.size:
                kept += 1
            else:
                self._files.write(name, backup.read(entry))
                written += 1
            on_progress(self.name, written + kept, total)
        return {"written": written, "kept": kept}
