"""Records as people and machines read them: terminal lines, JSON, the report. No JAX."""

from ._baseline_lines import baseline_lines as baseline_lines
from ._data_lines import data_lines as data_lines
from ._data_lines import split_lines as split_lines
from ._diagnosis import Diagnosis as Diagnosis
from ._engine_lines import engine_lines as engine_lines
from ._finding_lines import finding_lines as finding_lines
from ._json import dry_run_json as dry_run_json
from ._json import fit_json as fit_json
from ._json import opening_json as opening_json
from ._json import strict as strict
from ._layout import entry as entry
from ._opening_lines import opening_lines as opening_lines
from ._plan_lines import plan_lines as plan_lines
from ._progress import PlainProgress as PlainProgress
from ._progress import TerminalProgress as TerminalProgress
from ._result_lines import result_lines as result_lines
from ._saved_lines import next_lines as next_lines
from ._saved_lines import saved_lines as saved_lines
from ._section_lines import diagnosis_lines as diagnosis_lines
from ._terminal import outcome_lines as outcome_lines
from ._terminal import study_lines as study_lines
from ._text_report import text_report as text_report
