namespace Entrepot.Hosting.Configuration;

/// <summary>Durations as people write them: <c>500ms</c>, <c>30s</c>, <c>5m</c>, <c>2h</c>, <c>7d</c>, or .NET's <c>00:01:00</c>.</summary>
internal static class DurationText
{
    private static readonly (string Unit, TimeSpan Length)[] Units =
        [("d", TimeSpan.FromDays(1)), ("h", TimeSpan.FromHours(1)), ("m", TimeSpan.FromMinutes(1)), ("s", TimeSpan.FromSeconds(1)), ("ms", TimeSpan.FromMilliseconds(1))];

    /// <summary>A number without a unit is refused: .NET would read 30 as thirty days.</summary>
    public static bool TryParse(string text, out TimeSpan duration)
    {
        text = text.Trim();
        if (text.Contains(':', StringComparison.Ordinal))
            return TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out duration) && duration >= TimeSpan.Zero;
        duration = default;
        var split = text.AsSpan().LastIndexOfAnyInRange('0', '9') + 1;
        var unit = text[split..].Trim();
        foreach (var (name, length) in Units)
        {
            if (!name.Equals(unit, StringComparison.OrdinalIgnoreCase))
                continue;
            if (!decimal.TryParse(text.AsSpan(0, split), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var count)
                || count > TimeSpan.MaxValue.Ticks / length.Ticks)
                return false;
            duration = TimeSpan.FromTicks((long)(count * length.Ticks));
            return true;
        }

        return false;
    }

    /// <summary>The shortest whole form, one that <see cref="TryParse"/> reads back.</summary>
    public static string Format(TimeSpan duration)
    {
        if (duration == TimeSpan.Zero)
            return "0s";
        foreach (var (name, length) in Units)
        {
            if (duration.Ticks % length.Ticks == 0)
                return string.Create(CultureInfo.InvariantCulture, $"{duration.Ticks / length.Ticks}{name}");
        }

        return duration.ToString("c", CultureInfo.InvariantCulture);
    }
}
