"""Scores of videos, ISO/IEC 30107-3 errors, thresholds, reports, robustness."""
