//! Configuration: a raw mirror of the file, and the validated form that the rest of the program sees.
