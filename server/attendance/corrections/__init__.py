"""Appeals (申诉) and corrections (更正): what counts may change, by entries of two people; what was recorded never."""
