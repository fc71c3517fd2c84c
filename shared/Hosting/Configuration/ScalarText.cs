using System.ComponentModel.DataAnnotations;

namespace Entrepot.Hosting.Configuration;

/// <summary>One value's text as its type.</summary>
internal static class ScalarText
{
    /// <summary>Whether values of this type are read from one text.</summary>
    public static bool Reads(Type type) =>
        type.IsEnum || type == typeof(string) || type == typeof(bool) || type == typeof(int) || type == typeof(long) || type == typeof(double)
        || type == typeof(TimeSpan) || type == typeof(Uri);

    /// <summary>The value; or null with what is wrong and what to write instead.</summary>
    public static object? Parse(Type type, string text, bool byteSize, out string problem, out string fix)
    {
        (problem, fix) = ("", "");
        var trimmed = text.Trim();
        if (type == typeof(string))
            return text;
        if (trimmed.Length == 0)
            (problem, fix) = ("is empty", "write a value or leave the key out");
        else if (type == typeof(bool))
        {
            if (bool.TryParse(trimmed, out var flag))
                return flag;
            (problem, fix) = ("is neither true nor false", "write true or false");
        }
        else if (type == typeof(TimeSpan))
        {
            if (DurationText.TryParse(trimmed, out var duration))
                return duration;
            (problem, fix) = ("is not a duration", int.TryParse(trimmed, out _) ? $"write its unit too, such as {trimmed}s" : "write 500ms, 30s, 5m, 2h, 7d or 00:01:00");
        }
        else if (byteSize)
        {
            if (ByteSizeText.TryParse(trimmed, out var bytes) && (type == typeof(long) || bytes <= int.MaxValue))
                return type == typeof(long) ? bytes : (int)bytes;
            (problem, fix) = ("is not a number of bytes", "write 10GiB, 512MB or plain bytes");
        }
        else if (type == typeof(int) || type == typeof(long))
        {
            if (type == typeof(int) && int.TryParse(trimmed, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var small))
                return small;
            if (type == typeof(long) && long.TryParse(trimmed, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var large))
                return large;
            (problem, fix) = ("is not a whole number in range", "write digits only");
        }
        else if (type == typeof(double))
        {
            if (double.TryParse(trimmed, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number))
                return number;
            (problem, fix) = ("is not a number", "write a number such as 0.5");
        }
        else if (type == typeof(Uri))
            return ParseUrl(trimmed, out problem, out fix);
        else
        {
            var name = Enum.GetNames(type).FirstOrDefault(n => n.Equals(trimmed, StringComparison.OrdinalIgnoreCase));
            if (name is not null)
                return Enum.Parse(type, name);
            (problem, fix) = ("is not one of the known values", $"write {OneOf(Enum.GetNames(type))}");
        }

        return null;
    }

    /// <summary>The bounds that a value breaks, as "A to B"; null when it keeps them.</summary>
    public static string? BrokenBounds(object value, RangeAttribute? range, bool byteSize)
    {
        if (range is null)
            return null;
        var (low, high) = Bounds(range);
        var keeps = value switch
        {
            TimeSpan duration => duration >= (TimeSpan)low && duration <= (TimeSpan)high,
            IConvertible number => Convert.ToDecimal(number, CultureInfo.InvariantCulture) >= Convert.ToDecimal(low, CultureInfo.InvariantCulture)
                && Convert.ToDecimal(number, CultureInfo.InvariantCulture) <= Convert.ToDecimal(high, CultureInfo.InvariantCulture),
            _ => true,
        };
        return keeps ? null : $"{Format(low, byteSize)} to {Format(high, byteSize)}";
    }

    /// <summary>Both ends of a range. Read here and not by the attribute, which would load type converters at start.</summary>
    public static (object Low, object High) Bounds(RangeAttribute range) =>
        range.OperandType == typeof(TimeSpan)
            ? (TimeSpan.Parse((string)range.Minimum, CultureInfo.InvariantCulture), TimeSpan.Parse((string)range.Maximum, CultureInfo.InvariantCulture))
            : (range.Minimum, range.Maximum);

    /// <summary>A value as it may be written in a settings file.</summary>
    public static string Format(object? value, bool byteSize) => value switch
    {
        null => "",
        TimeSpan duration => DurationText.Format(duration),
        bool flag => flag ? "true" : "false",
        IConvertible number when byteSize => ByteSizeText.Format(Convert.ToInt64(number, CultureInfo.InvariantCulture)),
        IFormattable formattable => formattable.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString() ?? "",
    };

    public static string OneOf(IReadOnlyList<string> names) =>
        names.Count < 2 ? string.Concat(names) : $"{string.Join(", ", names.Take(names.Count - 1))} or {names[^1]}";

    private static Uri? ParseUrl(string text, out string problem, out string fix)
    {
        (problem, fix) = ("", "");
        if (Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "http" or "https" && url.Host.Length > 0)
            return url;
        var rest = text.IndexOf("://", StringComparison.Ordinal) is >= 0 and var at ? text[(at + 3)..] : text;
        (problem, fix) = ("is not an http(s) URL", $"write https://{(Uri.TryCreate("https://" + rest, UriKind.Absolute, out _) ? ConfigError.WithoutUserInfo("https://" + rest)[8..] : "host")}");
        return null;
    }
}
