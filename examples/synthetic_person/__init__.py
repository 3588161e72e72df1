"""A synthetic talking person, rendered as a training video: nobody's likeness."""
