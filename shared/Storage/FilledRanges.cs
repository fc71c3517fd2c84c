namespace Entrepot.Storage;

/// <summary>Which bytes of a spool have been written, as disjoint sorted half-open ranges; a download has a handful of them. Not thread-safe.</summary>
internal sealed class FilledRanges
{
    private readonly List<(long Start, long End)> _ranges = [];

    /// <summary>Where the run that begins at byte 0 ends.</summary>
    public long Prefix => _ranges.Count > 0 && _ranges[0].Start == 0 ? _ranges[0].End : 0;

    /// <summary>How many bytes are filled altogether.</summary>
    public long Total => _ranges.Sum(r => r.End - r.Start);

    /// <summary>What is missing in [<paramref name="start"/>, <paramref name="end"/>), in order.</summary>
    public IEnumerable<(long Start, long End)> Gaps(long start, long end)
    {
        foreach (var range in _ranges)
        {
            if (range.Start >= end) break;
            if (range.Start > start) yield return (start, range.Start);
            start = Math.Max(start, range.End);
        }
        if (start < end) yield return (start, end);
    }

    /// <summary>Adds [start, end), merging with what it touches.</summary>
    public void Add(long start, long end)
    {
        if (start >= end) return;
        var first = _ranges.FindIndex(r => r.End >= start);
        if (first < 0)
        {
            _ranges.Add((start, end));
            return;
        }
        var last = first;
        while (last < _ranges.Count && _ranges[last].Start <= end)
        {
            start = Math.Min(start, _ranges[last].Start);
            end = Math.Max(end, _ranges[last].End);
            last++;
        }
        _ranges.RemoveRange(first, last - first);
        _ranges.Insert(first, (start, end));
    }

    /// <summary>Where the filled run that holds <paramref name="offset"/> ends, or <paramref name="offset"/> itself when it is not filled.</summary>
    public long RunEnd(long offset)
    {
        foreach (var (start, end) in _ranges)
        {
            if (start > offset) break;
            if (offset < end) return end;
        }
        return offset;
    }

    /// <summary>Forgets everything from <paramref name="offset"/> on.</summary>
    public void TruncateTo(long offset)
    {
        _ranges.RemoveAll(r => r.Start >= offset);
        if (_ranges.Count > 0 && _ranges[^1].End > offset) _ranges[^1] = (_ranges[^1].Start, offset);
    }
}
