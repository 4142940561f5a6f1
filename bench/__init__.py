"""The speeds we promise (`make bench`). Each module measures one: `bench NAME VALUE UNIT limit LIMIT ok|short`."""
