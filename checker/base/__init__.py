"""Foundations: small nouns that several rooms use."""
