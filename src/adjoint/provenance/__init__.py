"""Where values come from: watching ops as they run, to find what makes a NaN, and what cuts a graph."""

from adjoint.provenance.anomalies import detect_anomaly as detect_anomaly
