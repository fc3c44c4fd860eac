#![doc = "leadcore"]
