using System.Diagnostics.CodeAnalysis;

namespace Entrepot.Upstreams;

/// <summary>What an upstream gave, or why it gave nothing. Expected failures are values; only cancellation by the caller and misuse throw.</summary>
/// <typeparam name="T">What was asked for.</typeparam>
[SuppressMessage("Usage", "CA2225:Operator overloads have named alternates", Justification = "The constructors are the alternates.")]
public sealed class UpstreamResult<T>
{
    private readonly T? _value;

    /// <summary>Success.</summary>
    public UpstreamResult(T value) => _value = value;

    /// <summary>Failure.</summary>
    public UpstreamResult(UpstreamFailure failure) => Failure = failure ?? throw new ArgumentNullException(nameof(failure));

    /// <summary>Why there is no value; null on success.</summary>
    public UpstreamFailure? Failure { get; }

    /// <summary>Whether there is a value.</summary>
    [MemberNotNullWhen(false, nameof(Failure))]
    public bool IsSuccess => Failure is null;

    /// <summary>The value.</summary>
    /// <exception cref="InvalidOperationException">There is none: look at <see cref="Failure"/> first.</exception>
    public T Value => IsSuccess ? _value! : throw new InvalidOperationException(Failure.Message);

    /// <summary>Success.</summary>
    public static implicit operator UpstreamResult<T>(T value) => new(value);

    /// <summary>Failure.</summary>
    public static implicit operator UpstreamResult<T>(UpstreamFailure failure) => new(failure);
}
