namespace Entrepot.Bench.Results;

/// <summary>What is compared with a bound.</summary>
internal enum Figure
{
    /// <summary>Subject over peer, in each round; the median of the rounds counts.</summary>
    Ratio,

    /// <summary>Subject less peer, in each round; the median of the rounds counts.</summary>
    Difference,

    /// <summary>The subject's own value; the median of the rounds counts.</summary>
    Median,

    /// <summary>The subject's own value; the worst of the rounds counts.</summary>
    Worst,
}

/// <summary>Something that must hold, or, without a limit, something worth telling.</summary>
/// <param name="Metric">What is measured.</param>
/// <param name="Subject">Which target must hold it.</param>
/// <param name="Peer">What it is compared with; null for its own value.</param>
/// <param name="Figure">How.</param>
/// <param name="IsFloor">Whether the limit is the least allowed; otherwise the most.</param>
/// <param name="Limit">The limit; null for none.</param>
internal sealed record Bound(Metric Metric, string Subject, string? Peer, Figure Figure, bool IsFloor, double? Limit)
{
    /// <summary>Subject over peer is at least this.</summary>
    public static Bound RatioAtLeast(double limit, Metric metric, string subject, string peer) => new(metric, subject, peer, Figure.Ratio, true, limit);

    /// <summary>Subject over peer is at most this.</summary>
    public static Bound RatioAtMost(double limit, Metric metric, string subject, string peer) => new(metric, subject, peer, Figure.Ratio, false, limit);

    /// <summary>Subject less peer is at most this, in the metric's unit.</summary>
    public static Bound AboveByAtMost(double limit, Metric metric, string subject, string peer) => new(metric, subject, peer, Figure.Difference, false, limit);

    /// <summary>The median over the rounds is at most this.</summary>
    public static Bound AtMost(double limit, Metric metric, string subject) => new(metric, subject, null, Figure.Median, false, limit);

    /// <summary>No round is above this.</summary>
    public static Bound NeverAbove(double limit, Metric metric, string subject) => new(metric, subject, null, Figure.Worst, false, limit);

    /// <summary>Told in the table, without a limit.</summary>
    public static Bound Told(Metric metric, string subject, string peer) => new(metric, subject, peer, Figure.Ratio, false, null);

    /// <summary>The median over the rounds, told without a limit.</summary>
    public static Bound Told(Metric metric, string subject) => new(metric, subject, null, Figure.Median, false, null);
}
