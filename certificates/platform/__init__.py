"""The learning platform (the LMS of Open edX) as Laurel asks it: courses, grades, completion."""
