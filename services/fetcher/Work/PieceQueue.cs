namespace Entrepot.Fetcher.Work;

/// <summary>
/// The parts of a blob that connections take one after another: what a reader waits for first, else the lowest. No byte is handed out twice.
/// Pieces are clamp(size/64, 8 MiB, 64 MiB) long, or begin where a reader waits; where several wait each gets a short one in its turn. None is
/// aborted to be split again (docs/adr/0007). Thread-safe.
/// </summary>
internal sealed class PieceQueue
{
    public const long Smallest = 8L << 20, Largest = 64L << 20;

    /// <summary>What one of several readers gets before it is the next one's turn, in bytes.</summary>
    public const long Turn = 1L << 20;

    private readonly Lock _lock = new();
    private readonly List<(long Start, long End)> _free = [];

    /// <summary>Pieces of what is missing of a blob of that size, cut at multiples of the piece length.</summary>
    public PieceQueue(long size, IEnumerable<(long Start, long End)> missing)
    {
        Length = LengthFor(size);
        foreach (var (from, to) in missing)
        {
            for (var start = from; start < to;)
            {
                var end = Math.Min(to, (start / Length + 1) * Length);
                _free.Add((start, end));
                start = end;
            }
        }
    }

    /// <summary>The length of a full piece in bytes.</summary>
    public long Length { get; }

    /// <summary>How long the pieces of a blob of that size are, in bytes.</summary>
    public static long LengthFor(long size) => Math.Clamp(size / 64, Smallest, Largest);

    /// <summary>The next piece, or null when all are taken.</summary>
    /// <param name="wanted">The offsets somebody waits for, the most urgent first; of some the piece may be on its way.</param>
    /// <param name="bytes">Pieces that follow on are taken with it up to so many bytes: to be asked for at once.</param>
    public (long Start, long End)? Take(IReadOnlyList<long> wanted, long bytes = 0)
    {
        lock (_lock)
        {
            if (_free.Count == 0) return null;
            var waiting = wanted.Where(offset => FreeAt(offset) >= 0).Take(2).ToList();
            var at = waiting.Count > 0 ? FreeAt(waiting[0]) : 0;
            var piece = _free[at];
            _free.RemoveAt(at);
            if (waiting.Count > 0 && piece.Start < waiting[0])
            {
                _free.Insert(at++, (piece.Start, waiting[0]));
                piece.Start = waiting[0];
            }
            if (waiting.Count > 1)
            {
                bytes = 0;
                if (piece.End - piece.Start > Turn)
                {
                    _free.Insert(at, (piece.Start + Turn, piece.End));
                    piece.End = piece.Start + Turn;
                }
            }
            while (at < _free.Count && _free[at].Start == piece.End && _free[at].End - piece.Start <= bytes)
            {
                piece.End = _free[at].End;
                _free.RemoveAt(at);
            }
            return piece;
        }
    }

    private int FreeAt(long offset) => _free.FindIndex(piece => piece.Start <= offset && offset < piece.End);
}
