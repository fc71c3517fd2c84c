using System.Text.Json;

namespace Entrepot.Upstreams;

/// <summary>A bearer token.</summary>
/// <param name="Text">The secret.</param>
/// <param name="RequestedAt">The monotonic time it was asked for, from which its life counts.</param>
/// <param name="Life">How long it may be used.</param>
internal sealed record Token(string Text, long RequestedAt, TimeSpan Life)
{
    /// <summary>Not the secret.</summary>
    public override string ToString() => "(token)";
}

internal static class JsonNumbers
{
    /// <summary>A number, or a string that holds one, as some token services send.</summary>
    public static bool TryReadNumber(this JsonElement element, out double number)
    {
        number = 0;
        return element.ValueKind switch
        {
            JsonValueKind.Number => element.TryGetDouble(out number),
            JsonValueKind.String => double.TryParse(element.GetString(), System.Globalization.CultureInfo.InvariantCulture, out number),
            _ => false,
        };
    }
}
