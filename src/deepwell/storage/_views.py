"""The documented views: what a person asks of a store, in plain columns. `docs/query.md`.

They hold nothing of their own: they are dropped before migrations and made again after them, so
that their texts are always those of the newest schema. Everything is plain SQL, curves included,
so that they can be read by any program that opens the database.
"""

from __future__ import annotations

import sqlalchemy as sa

from deepwell.records import Status

from ._view_dialects import POSTGRESQL, SQLITE, ViewDialect

WHOLE_NUMBERS = (
    *("decay_every", "batch_size", "patience", "hidden_layers", "conv_layers", "conv_kernel"),
    *("conv_stride", "pool", "maxout_pieces", "residual", "crop"),
)
NUMBERS = (
    *("learning_rate", "decay_rate", "decay_factor", "decay_scale", "warmup_epochs", "momentum"),
    *("beta1", "beta2", "epsilon", "epsilon_root", "leaky_slope", "elu_scale"),
    *("batch_norm_momentum", "batch_norm_epsilon", "initializer_scale", "dropout"),
    *("input_dropout", "label_smoothing", "input_noise", "mixup", "augment", "flip", "shift"),
    *("rotation", "brightness", "contrast", "l2", "l1", "weight_decay", "max_norm"),
    *("clip_value", "clip_norm", "gradient_noise"),
)
WORDS = (
    *("decay", "optimizer", "rms_start", "pooling", "activation", "batch_norm"),
    *("batch_norm_statistics", "initializer", "dropout_kind", "change"),
)
LISTS = ("hidden_units", "conv_channels")
"""The hyperparameters that are columns of `trials`, beside `epochs`, which is `max_epochs` there;
one that is declared later is found in the column `hyperparameters`."""

UNFINISHED = tuple(status.value for status in Status if not status.over)
"""Statuses of networks that somebody trains, or that wait for it."""

VIEWS = ("studies", "trials", "epochs", "events", "findings", "openings", "notes", "tags")
"""Names of all views."""


def make_views(connection: sa.Connection) -> None:
    """Make all views."""
    for name, query in view_queries(connection.dialect.name).items():
        connection.exec_driver_sql(f"CREATE VIEW {name} AS {query}")


def drop_views(connection: sa.Connection) -> None:
    """Remove the views, where there are any, so that their tables can be changed."""
    for name in VIEWS:
        connection.exec_driver_sql(f"DROP VIEW IF EXISTS {name}")


def view_queries(dialect: str) -> dict[str, str]:
    """Return name -> query of each view, in the SQL of `sqlite` or `postgresql`."""
    say = POSTGRESQL if dialect == "postgresql" else SQLITE
    queries = (
        *(_studies(say), _trials(say), _epochs(say), _events(say), _findings(say)),
        *(_openings(say), _notes(say), _tags(say)),
    )
    return dict(zip(VIEWS, queries, strict=True))


def _studies(say: ViewDialect) -> str:
    config, result = say.json("s", "config"), say.json("s", "result")
    scores = (
        f"{say.number(result, part, end)} AS {part if end == 'value' else f'{part}_{end}'}"
        for part in ("dev", "train")
        for end in ("value", "low", "high")
    )
    return _select(
        (
            "s.id AS id",
            "s.name AS study",
            f"{say.time('s.created')} AS created",
            f"{_standing('s.status', 'running')} AS status",
            f"{say.text(config, 'data', 'source')} AS source",
            f"{say.text(config, 'data', 'target')} AS target",
            f"{say.text(config, 'data', 'task')} AS task",
            f"{say.whole(config, 'data', 'rows')} AS rows",
            f"{say.text(config, 'metric')} AS metric",
            *scores,
            f"{say.whole(result, 'best_trial')} AS best_trial",
            "(SELECT count(*) FROM trial t WHERE t.study_id = s.id) AS networks",
            f"{say.text(config, 'search')} AS search",
            f"{say.text(config, 'scheduler')} AS scheduler",
            f"{say.text(config, 'program')} AS program",
            f"{say.whole(config, 'seed')} AS seed",
            f"{say.whole(config, 'folds')} AS folds",
            "s.seconds AS seconds",
            "l.holder AS runner",
            f"{say.text(result, 'stopped')} AS stopped",
            f"{say.text(config, 'parent')} AS parent",
            f"{_tag_list(say, 'g.study_id = s.id AND g.trial IS NULL')} AS tags",
            f"{say.text(config, 'space')} AS space",
        ),
        f"study s {_runners(say)} {say.read('s', 'config', 'result')}",
        "s.deleted IS NULL",
    )


def _trials(say: ViewDialect) -> str:
    config, spec = say.json("s", "config"), say.json("t", "spec")
    result = say.json("s", "result")
    inside = ("hyperparameters",)
    values = (
        *(f"{say.number(spec, *inside, name)} AS {name}" for name in NUMBERS),
        *(f"{say.whole(spec, *inside, name)} AS {name}" for name in WHOLE_NUMBERS),
        *(f"{say.text(spec, *inside, name)} AS {name}" for name in WORDS),
        *(f"{say.items(spec, *inside, name)} AS {name}" for name in LISTS),
    )
    source = (
        f"(SELECT max({say.whole_in('e.details', 'source')}) FROM event e WHERE "
        "e.study_id = t.study_id AND e.kind IN ('fork', 'branch') AND e.trial = t.number)"
    )
    return _select(
        (
            "s.name AS study",
            "t.number AS trial",
            f"{_standing('t.status', *UNFINISHED)} AS status",
            f"t.score * {_scale(say, config)} AS score",
            "t.cost AS cost",
            "t.epochs AS epochs",
            "t.best_epoch AS best_epoch",
            f"CASE WHEN t.number = {say.whole(result, 'best_trial')} THEN 1 ELSE 0 END AS chosen",
            f"{source} AS copied_from",
            f"{say.whole(spec, 'fold')} AS fold",
            f"{say.whole(spec, 'seed')} AS seed",
            f"{say.text(spec, 'dtype')} AS dtype",
            "t.message AS message",
            f"{_tag_list(say, 'g.study_id = s.id AND g.trial = t.number')} AS tags",
            f"{say.whole(spec, *inside, 'epochs')} AS max_epochs",
            *values,
            f"{say.text(spec, 'hyperparameters')} AS hyperparameters",
        ),
        f"trial t JOIN study s ON s.id = t.study_id {_runners(say)} "
        f"{say.read('s', 'config', 'result')} {say.read('t', 'spec')}",
        "s.deleted IS NULL",
    )


def _epochs(say: ViewDialect) -> str:
    """Return the curves, one row a trial and epoch.

    A member is trained in an epoch when one of its figures is not NaN; what was recorded last
    counts.
    """
    metrics = ("train_cost", "dev_cost", "dev_score")
    joined = " ".join(
        f"LEFT JOIN curve {m} ON {m}.chunk_id = c.id AND {m}.metric = '{m}'" for m in metrics
    )
    members = _select(
        (
            "s.name AS study",
            f"{_scale(say, say.json('s', 'config'))} AS scale",
            "c.epoch AS epoch",
            "c.id AS chunk",
            f"{say.word('c.trials', 4)} AS trial",
            f"{say.word('c.steps', 8)} AS step",
            *(f"{say.word(f'{m}.block', 4)} AS {m}" for m in metrics),
        ),
        f"study s {say.read('s', 'config')} JOIN chunk c ON c.study_id = s.id {joined} "
        f"{say.places('c.trials', 4)}",
        "s.deleted IS NULL",
    )
    trained = " OR ".join(f"({m} & {2**31 - 1}) <= {0xFF << 23}" for m in metrics)
    last = (
        "SELECT m.*, row_number() OVER (PARTITION BY study, trial, epoch ORDER BY chunk DESC) "
        f"AS turn FROM ({members}) m WHERE {trained}"
    )
    return _select(
        (
            *("study", "trial", "epoch", "step"),
            *(f"{say.float32(m)} AS {m}" for m in metrics[:2]),
            f"{say.float32(metrics[2])} * scale AS {metrics[2]}",
        ),
        f"({last}) l",
        "turn = 1",
    )


def _events(say: ViewDialect) -> str:
    return _select(
        (
            "e.id AS event",
            "s.name AS study",
            f"{say.time('e.time')} AS time",
            *("e.kind AS kind", "e.trial AS trial", "e.details AS details"),
        ),
        "event e JOIN study s ON s.id = e.study_id",
        "s.deleted IS NULL",
    )


def _findings(say: ViewDialect) -> str:
    one = say.item("f")
    texts = (f"{say.text(one, name)} AS {name}" for name in ("code", "level", "claim", "detail"))
    figures = ("measured", "threshold", "p_value")
    return _select(
        (
            "s.name AS study",
            f"{say.item_place('f')} AS place",
            *texts,
            *(f"{say.number(one, 'evidence', name)} AS {name}" for name in figures),
            f"{say.text(one, 'command')} AS command",
            f"{say.text(one, 'evidence')} AS evidence",
        ),
        f"study s {say.read('s', 'result')} {say.each(say.json('s', 'result'), 'findings', 'f')}",
        "s.deleted IS NULL",
    )


def _openings(say: ViewDialect) -> str:
    return _select(
        (
            "o.link AS opening",
            "coalesce(s.name, o.study) AS study",
            "o.study AS called",
            f"{say.time('o.time')} AS time",
            *("o.trial AS trial", "o.metric AS metric"),
            *("o.value AS value", "o.low AS low", "o.high AS high"),
            *("o.number AS number", "o.notes AS notes", "o.fingerprint AS test_set"),
        ),
        "opening o LEFT JOIN study s ON s.id = o.study_id",
    )


def _notes(say: ViewDialect) -> str:
    return _select(
        (
            *("n.id AS note", "s.name AS study", "n.trial AS trial"),
            *(f"{say.time('n.time')} AS time", "n.text AS text"),
        ),
        "note n JOIN study s ON s.id = n.study_id",
        "s.deleted IS NULL",
    )


def _tags(_: ViewDialect) -> str:
    return _select(
        ("s.name AS study", "g.trial AS trial", "g.name AS tag"),
        "tag g JOIN study s ON s.id = g.study_id",
        "s.deleted IS NULL",
    )


def _runners(say: ViewDialect) -> str:
    """Return what joins the lease of a study that somebody runs, as far as the database knows."""
    return f"LEFT JOIN lease l ON l.study_id = s.id AND l.expires > {say.now()}"


def _standing(status: str, *unfinished: str) -> str:
    """Return a status; `interrupted` in place of these where nobody has the study's lease."""
    listed = ", ".join(f"'{one}'" for one in unfinished)
    alone = f"{status} IN ({listed}) AND l.study_id IS NULL"
    return f"CASE WHEN {alone} THEN '{Status.INTERRUPTED.value}' ELSE {status} END"


def _scale(say: ViewDialect, config: str) -> str:
    """Return what turns a dev score into the metric's unit; studies of before had none."""
    return f"coalesce({say.number(config, 'score_scale')}, 1.0)"


def _tag_list(say: ViewDialect, where: str) -> str:
    named = f"SELECT g.name AS name FROM tag g WHERE {where} ORDER BY g.name"
    return f"(SELECT {say.joined('name')} FROM ({named}) named)"


def _select(columns: tuple[str, ...], source: str, where: str = "") -> str:
    told = f" WHERE {where}" if where else ""
    return f"SELECT {', '.join(columns)} FROM {source}{told}"
