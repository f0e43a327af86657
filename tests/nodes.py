"""Nodes without a process around them: a real journal, a real policy, and an engine that does as it is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from authoring import TARGET, Author, Push

from habanero_receiver import trust
from habanero_receiver.fleet.node import Identity, Node, Release
from habanero_receiver.journal.base import Base
from habanero_receiver.journal.directory import DirectoryBucket
from habanero_receiver.journal.journal import Journal
from habanero_receiver.journal.local import LocalState
from habanero_receiver.overlay import Overlay
from habanero_receiver.release.keys import parse_allowed_signers
from habanero_receiver.release.statement import PythonTag
from habanero_receiver.starting import StartLedger
from habanero_receiver.swap import ModuleImage, SwapFailedError, SwapRefusedError, SwapReport, SwapUndoError

Images = Mapping[str, ModuleImage | None]


@dataclass
class FakeSwapper:
    """The engine's interface over a plain dictionary: `live` is what "runs". Each failure is asked for by its name."""

    live: dict[str, bytes | None] = field(default_factory=dict)
    refuse: bool = False
    fail_commit: BaseException | None = None
    fail_undo: bool = False
    fail_seal: bool = False
    on_stage: object = None
    on_commit: object = None
    on_committed: object = None
    log: list[str] = field(default_factory=list)
    overlay: dict[str, ModuleImage | None] = field(default_factory=dict)
    generation: int = 0

    def is_own(self, name: str) -> bool:
        return name.partition(".")[0] == "shop"

    def base(self, name: str) -> ModuleImage | None:
        return None

    def stage(self, overlay: Images) -> FakeStaged:
        self.log.append("stage")
        if callable(self.on_stage):
            self.on_stage()
        report = SwapReport()
        for name in overlay:
            report.of(name).run.append("all")
        if self.refuse:
            raise SwapRefusedError(report)
        return FakeStaged(self, overlay, report)


@dataclass
class FakeStaged:
    swapper: FakeSwapper
    overlay: Images
    report: SwapReport

    def commit(self) -> FakeCommitted:
        self.swapper.log.append("commit")
        if callable(self.swapper.on_commit):
            self.swapper.on_commit()
        if isinstance(self.swapper.fail_commit, SwapUndoError):
            raise self.swapper.fail_commit
        if self.swapper.fail_commit is not None:
            cause = self.swapper.fail_commit
            raise SwapFailedError(f"shop: it raised {type(cause).__name__}: {cause}", self.report) from cause
        before = dict(self.swapper.live)
        self.swapper.live = {name: image and image.source for name, image in self.overlay.items()}
        if callable(self.swapper.on_committed):
            self.swapper.on_committed()
        return FakeCommitted(self.swapper, before, self.report)


@dataclass
class FakeCommitted:
    swapper: FakeSwapper
    before: dict[str, bytes | None]
    report: SwapReport

    def undo(self) -> None:
        self.swapper.log.append("undo")
        if self.swapper.fail_undo:
            raise SwapUndoError("undoing failed", self.report)
        self.swapper.live = self.before

    def seal(self) -> None:
        self.swapper.log.append("seal")
        if self.swapper.fail_seal:
            raise RuntimeError("the seal broke")


@dataclass
class World:
    """One node with its author, its engine, and the bucket that others may write to as well."""

    root: Path
    author: Author = field(default_factory=Author)
    swapper: FakeSwapper = field(default_factory=FakeSwapper)

    def __post_init__(self) -> None:
        package = self.root / "shop"
        package.mkdir(parents=True, exist_ok=True)
        (package / "__init__.py").write_text("")
        (package / "pricing.py").write_text("def price(): return 1\n")
        self.base = Base.scan(self.root, ["shop"])
        self.bucket = DirectoryBucket(self.root / "bucket")
        self.node = self.make_node()

    def make_node(self, machine: str = "box", author: Author | None = None) -> Node:
        """Make a node of this deployment, at the base."""
        release = Release(trust.Head.start(self.base.digest))
        return Node(
            identity=Identity.of_this_process(machine),
            policy=self.policy(author or self.author),
            base=self.base,
            journal=self.make_journal(),
            overlay=Overlay({}, lambda *_: None),
            swapper=self.swapper,
            tip=release.head,
            seen=release,
            known=None,
            running=None,
            ledger=StartLedger(LocalState(self.root / "state" / machine), 3, 10),
        )

    def policy(self, *authors: Author) -> trust.TrustPolicy:
        return trust.TrustPolicy(
            keys=parse_allowed_signers("\n".join(author.line for author in authors)),
            target=TARGET,
            allowed_modules=frozenset({"shop"}),
            python=PythonTag.current(),
        )

    def make_journal(self) -> Journal:
        return Journal(self.bucket, "shop", "test", self.base.digest)

    def push(
        self, text: str = "RATE = 1\n", *, author: Author | None = None, name: str = "shop.rates", **changes: object
    ) -> Push:
        """Sign the release after the node's tip: one module."""
        tip = self.node.tip
        return (author or self.author).push(
            self.base.digest, {name: text}, **{"seq": tip.seq + 1, "prev": tip.digest, **changes}
        )

    def record(self, push: Push) -> None:
        """Put a release into the bucket, as another worker would."""
        journal = self.make_journal()
        for data in (push.manifest, *push.blobs.values()):
            journal.put_blob(data)
        assert journal.append(push.statement.seq, push.envelope.encode())

    def files(self) -> set[str]:
        """Every key of the bucket; left out is what is informative, and written when nobody waits for it."""
        informative = {"hosts", "confirmed", ".tmp"}
        return {
            str(file.relative_to(self.root / "bucket"))
            for file in (self.root / "bucket").rglob("*")
            if file.is_file() and informative.isdisjoint(file.parts)
        }
