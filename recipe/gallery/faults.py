"""The published faults, each with how a user would cause it and the causes that are right."""

from __future__ import annotations

from recipe.gallery import faults_of_data, faults_of_models, faults_of_runs

FAULTS = (*faults_of_data.FAULTS, *faults_of_models.FAULTS, *faults_of_runs.FAULTS)
"""All eighty."""
