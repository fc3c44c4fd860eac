//! Words in cells that stand for no answer.

/// Words that stand for no answer, wherever they stand alone in a cell.
const SILENT: &[&str] = &[
    "select",
    "please select",
    "-please select-",
    "--none--",
    "-none-",
    "n/a",
    "na",
    "n.a.",
    "-",
    "--",
    "---",
    "#n/a",
    "null",
    "nil",
    "nan",
    "undefined",
    "(blank)",
    "(empty)",
    "(none)",
    "not provided",
    "not specified",
    "no answer",
    "keine angabe",
    "k.a.",
    "sin respuesta",
    "non renseigne",
    "ikke oppgitt",
    "velg",
    "?",
];

/// Words that may be an answer: in a vocabulary they are left alone.
const VAGUE: &[&str] = &[
    "unknown",
    "none",
    "not known",
    "unbekannt",
    "ukjent",
    "okand",
    "desconocido",
    "inconnu",
    "desconhecido",
    "tbd",
];

/// Whether a folded cell stands for no answer.
pub(super) fn is_silent(word: &str) -> bool {
    SILENT.contains(&word)
}

/// Whether it does, or is an answer.
pub(super) fn is_vague(word: &str) -> bool {
    VAGUE.contains(&word)
}

/// Whether a folded cell says that there is none, in a column in which it can be nothing else.
pub(in crate::exchange) fn is_no_answer(word: &str) -> bool {
    is_silent(word) || is_vague(word)
}

/// What programs that call a stage `State` write there, folded.
const PROGRESS: &[&str] = &[
    "open",
    "new",
    "draft",
    "pending",
    "active",
    "inactive",
    "in progress",
    "working",
    "contacted",
    "attempted",
    "nurturing",
    "qualified",
    "unqualified",
    "disqualified",
    "converted",
    "won",
    "lost",
    "dead",
    "done",
    "closed",
    "closed won",
    "closed lost",
    "cancelled",
    "canceled",
];

/// Whether a folded cell says how far a lead came.
pub(super) fn is_progress(word: &str) -> bool {
    PROGRESS.contains(&word.replace(['_', '-'], " ").as_str())
}
