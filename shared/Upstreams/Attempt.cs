namespace Entrepot.Upstreams;

/// <summary>What one try gave: a value, or a failure and whether another try may help.</summary>
internal readonly record struct Attempt<T>(T? Value, UpstreamFailure? Failure, bool IsTransient)
    where T : class
{
    public static implicit operator Attempt<T>(T value) => new(value, null, false);

    public static implicit operator Attempt<T>(UpstreamFailure failure) => new(null, failure, false);
}
