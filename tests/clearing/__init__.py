"""Tests of clearing records: mapped, compared, put in again."""
