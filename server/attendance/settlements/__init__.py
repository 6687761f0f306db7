"""Settlements (结算): what each trainee's evidence gives at one moment under one scheme, kept as it was."""
