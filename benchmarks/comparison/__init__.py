"""How we and other libraries behave at a provider that fails: ``make comparison`` writes docs/comparison.md.

``apps`` has one runnable app for each library, as its own documentation writes it. ``provider`` misbehaves when told,
``peers`` starts the apps, ``browser`` logs in to them, and ``cases`` says what goes wrong.
"""
