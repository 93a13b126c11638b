"""Deploys: what is built, put on record and begun."""
